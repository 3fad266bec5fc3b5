import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../../test/memory-folder.ts';
import { floatBytes, writeSafetensors } from '../../test/write-safetensors.ts';
import { openTensors } from './open-tensors.ts';

const scalar = (name: string, value: number) => ({ name, dtype: 'F32', shape: [1], bytes: floatBytes([value]) });
const index = (weightMap: object): string => JSON.stringify({ metadata: { total_size: 8 }, weight_map: weightMap });
const FILES = { single: 'model.safetensors', index: 'model.safetensors.index.json' };
const ONE = 'model-00001-of-00002.safetensors';
const TWO = 'model-00002-of-00002.safetensors';

describe('openTensors', () => {
  it('finds each tensor in the shard that the index names', async () => {
    const folder = memoryFolder({
      'model.safetensors.index.json': index({ a: ONE, b: TWO }),
      [ONE]: writeSafetensors([scalar('a', 1)]),
      [TWO]: writeSafetensors([scalar('unused', 0), scalar('b', 2), scalar('a', 3)]),
    });
    const tensors = await openTensors(folder, FILES);
    expect([...tensors].map(([name, { file, begin }]) => [name, file.name, begin])).toEqual([['a', ONE, 0], ['b', TWO, 4]]);
  });

  it('takes the single file where there is one', async () => {
    const tensors = await openTensors(memoryFolder({ 'model.safetensors': writeSafetensors([scalar('a', 1)]), 'model.safetensors.index.json': 'x' }), FILES);
    expect([...tensors.keys()]).toEqual(['a']);
  });

  it.each([
    ['no weights at all', {}, 'not_found', '/models/tiny has neither model.safetensors nor model.safetensors.index.json: download the checkpoint\'s safetensors files'],
    ['a missing shard', { 'model.safetensors.index.json': index({ a: ONE }) }, 'data_loss', `/models/tiny has no ${ONE}, which model.safetensors.index.json names: download it`],
    [
      'a tensor that its shard lacks', { 'model.safetensors.index.json': index({ b: ONE }), [ONE]: writeSafetensors([scalar('a', 1)]) },
      'data_loss', `/models/tiny/${ONE} is damaged: tensor b is not in it, although model.safetensors.index.json says so; download it again`,
    ],
    ['an index cut short', { 'model.safetensors.index.json': '{"weight_map": {"a"' }, 'data_loss', '/models/tiny/model.safetensors.index.json is damaged: it is not valid JSON'],
    ['an index without a map', { 'model.safetensors.index.json': '{}' }, 'data_loss', '/models/tiny/model.safetensors.index.json: weight_map must map tensors to files'],
    ['an index that sends a tensor nowhere', { 'model.safetensors.index.json': index({ a: null }) }, 'data_loss', '/models/tiny/model.safetensors.index.json: weight_map.a must'],
    ['a tensor twice in the index', { 'model.safetensors.index.json': `{"weight_map": {"a": "${ONE}", "a": "${TWO}"}}` }, 'data_loss', 'the key "a" occurs twice in one object'],
  ] as const)('refuses %s', async (_, files, code, sentence) => {
    await expect(openTensors(memoryFolder(files), FILES)).rejects.toMatchObject({ code, message: expect.stringContaining(sentence) as string });
  });
});
