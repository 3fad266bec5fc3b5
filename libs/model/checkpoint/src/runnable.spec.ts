import { describe, expect, it } from 'vitest';
import { memoryFolder } from '../test/memory-folder.ts';
import { DEEPSEEK_V3, MISTRAL_LARGE_3 } from '../test/published-configs.ts';
import { TINY_PARAMS } from '../test/tiny-models.ts';
import { describeModel, openCheckpoint, readModelSpec } from './checkpoint.ts';

const withMoe = (moe: object): object => ({ ...TINY_PARAMS, moe: { num_experts: 8, num_experts_per_tok: 2, ...moe } });

describe('the engine is not given a model with', () => {
  it.each<[string, string, object]>([
    ['latent attention (MLA)', 'params.json', MISTRAL_LARGE_3],
    ['latent attention (MLA)', 'config.json', DEEPSEEK_V3],
    ['shared experts', 'params.json', withMoe({ num_shared_experts: 1 })],
    ['dense layers before the routed ones', 'params.json', withMoe({ first_k_dense_replace: 1 })],
    ['a router other than a renormalised softmax', 'params.json', withMoe({ routed_scale: 2.5 })],
    ['a router that chooses groups of experts', 'params.json', withMoe({ num_expert_groups: 4, num_expert_groups_per_tok: 2 })],
  ])('%s, of a %s: described, and refused in one sentence that says why', async (what, file, config) => {
    const folder = memoryFolder({ [file]: JSON.stringify(config) });
    await expect(describeModel(folder)).resolves.toBeDefined();
    const refusal = { code: 'unimplemented', message: `/models/tiny/${file}: the model has ${what}, which can be read but not run yet: use a Mixtral, a Mistral or a Ministral 3` };
    await expect(readModelSpec(folder)).rejects.toMatchObject(refusal);
    await expect(openCheckpoint(folder)).rejects.toMatchObject(refusal);
    expect(folder.closed).toBe(true);
  });
});

it('groups of which all are taken are no choice, and such a model runs', async () => {
  const folder = memoryFolder({ 'params.json': JSON.stringify(withMoe({ num_expert_groups: 4, num_expert_groups_per_tok: 4 })) });
  expect(await readModelSpec(folder)).toMatchObject({ family: 'mixtral', feedForward: { kind: 'moe', size: 3, expertCount: 8, expertsPerToken: 2 } });
});
