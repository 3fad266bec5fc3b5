import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointDirectory, readLogits } from '../golden/read-vectors.ts';
import { byteTokenizer } from './byte-tokenizer.ts';
import { startCluster, temporaryFolder } from './harness.ts';

/** Models with latent attention as Mistral publishes them, through real processes: token ids go in and come out, as the oracle has them. */

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Completion {
  readonly choices: readonly { readonly token_ids: readonly number[] }[];
}

describe.each([
  ['mistral4-yarn-mistral-layout', 'mistral4-yarn-bf16'], ['mistral4-yarn-fp8-blocks-mistral-layout', 'mistral4-yarn-fp8-blocks-mistral-layout'],
])('%s on three workers', (name, vectorName) => {
  it('continues prompts with the greedy tokens of the oracle, one and several at once', async () => {
    const { promptIds, greedyIds, vocabularySize } = readLogits(vectorName);
    const model = join(folder, name);
    cpSync(checkpointDirectory(`test/golden/models/${name}`), model, { recursive: true });
    writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(byteTokenizer(vocabularySize)));
    await using cluster = await startCluster(['--model', model, '--dtype', 'float32', '--workers', '3']);
    expect(cluster.ready.workers.filter(({ experts }) => experts > 0)).toHaveLength(3);
    const complete = async (known: number): Promise<readonly number[]> => {
      const body = { model: cluster.ready.model.id, prompt: [...promptIds, ...greedyIds.slice(0, known)], max_tokens: greedyIds.length - known, temperature: 0, ignore_eos: true, return_token_ids: true };
      const response = await fetch(`${cluster.ready.addresses.http}/v1/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      expect(response.status).toBe(200);
      return ((await response.json()) as Completion).choices[0]!.token_ids;
    };
    expect(await complete(0)).toEqual(greedyIds);
    expect(await Promise.all([1, 7, 19, 31].map(complete))).toEqual([1, 7, 19, 31].map((known) => greedyIds.slice(known)));
  });
});
