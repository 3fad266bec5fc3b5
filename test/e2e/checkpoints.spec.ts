import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkpointDirectory, type LogitsVector, readLogits } from '../golden/read-vectors.ts';
import { byteTokenizer } from './byte-tokenizer.ts';
import { type RunningCluster, startCluster, temporaryFolder } from './harness.ts';

/** Checkpoints of every family, layout and precision through real processes: token ids go in and come out, as the oracle has them. */

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Completion {
  readonly choices: readonly { readonly token_ids: readonly number[] }[];
}

/** Where the oracle read another folder of the same weights, `vector` names it. Together they have every option of test/golden/README.md. */
const CHECKPOINTS: readonly { readonly name: string; readonly vector?: string }[] = [
  { name: 'mixtral-top2-tied-f32' }, { name: 'mixtral-top1-odd-sharded-f16' }, { name: 'mixtral-fp8-tensors-mistral-layout' }, { name: 'mixtral-nvfp4' },
  { name: 'mistral-window-mistral-layout', vector: 'mistral-window-bf16' }, { name: 'ministral3-yarn-tied-mistral-layout', vector: 'ministral3-yarn-tied-bf16' },
  { name: 'ministral3-yarn-corrected-window-f16' }, { name: 'ministral3-yarn-fp8-tensors-mistral-layout', vector: 'ministral3-yarn-fp8-tensors' },
  { name: 'mistral4-yarn-mistral-layout', vector: 'mistral4-yarn-bf16' }, { name: 'mistral4-yarn-uncorrected-mistral-layout', vector: 'mistral4-yarn-uncorrected-bf16' },
  { name: 'mistral4-yarn-groups-tied-f32' }, { name: 'mistral4-yarn-fp8-blocks-mistral-layout' }, { name: 'mistral4-yarn-fp8-fused' }, { name: 'mistral4-yarn-nvfp4' },
  { name: 'deepseek-v3-yarn-groups-bf16' }, { name: 'deepseek-v3-top8-tied-f16' },
];

function withTokenizer(name: string, { vocabularySize }: LogitsVector): string {
  const model = join(folder, name);
  cpSync(checkpointDirectory(`test/golden/models/${name}`), model, { recursive: true });
  writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(byteTokenizer(vocabularySize)));
  return model;
}

async function post({ ready }: RunningCluster, path: string, body: object): Promise<Response> {
  return fetch(`${ready.addresses.http}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: ready.model.id, ...body }) });
}

/** Of the model's own prompt and so many greedy tokens behind it, those that follow. */
async function continued(cluster: RunningCluster, { promptIds, greedyIds }: LogitsVector, known: number): Promise<readonly number[]> {
  const response = await post(cluster, '/v1/completions', { prompt: [...promptIds, ...greedyIds.slice(0, known)], max_tokens: greedyIds.length - known, temperature: 0, ignore_eos: true, return_token_ids: true });
  expect(response.status).toBe(200);
  return ((await response.json()) as Completion).choices[0]!.token_ids;
}

describe.each(CHECKPOINTS)('$name on three workers', ({ name, vector: vectorName = name }) => {
  it('continues prompts with the greedy tokens of the oracle, one and several at once', async () => {
    const vector = readLogits(vectorName);
    await using cluster = await startCluster(['--model', withTokenizer(name, vector), '--dtype', 'float32', '--workers', '3']);
    expect(await continued(cluster, vector, 0)).toEqual(vector.greedyIds);
    const known = [1, 7, 19, 31];
    expect(await Promise.all(known.map((count) => continued(cluster, vector, count)))).toEqual(known.map((count) => vector.greedyIds.slice(count)));
  });
});

it('the text part of a model that sees images says what is not read, continues as the oracle does, and refuses an image in one sentence', async () => {
  const vector = readLogits('ministral3-yarn-tied-bf16');
  await using cluster = await startCluster(['--model', withTokenizer('mistral3-images-yarn-tied-bf16', vector), '--dtype', 'float32', '--workers', '2']);
  expect(cluster.events).toContainEqual({ kind: 'notice', sentence: expect.stringMatching(/^the part that sees images \(.*\) is not read: this model answers text only$/) as string });
  expect(await continued(cluster, vector, 0)).toEqual(vector.greedyIds);
  const refused = await post(cluster, '/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }] }] });
  expect([refused.status, await refused.json()]).toEqual([400, { error: expect.objectContaining({ message: expect.stringMatching(/^messages\[0\]\.content\[0\] is an image, which .*: send text$/) as string }) as object }]);
});
