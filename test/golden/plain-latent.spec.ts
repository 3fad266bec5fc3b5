import { openCheckpoint } from '@essaim/checkpoint';
import { type ClusterSnapshot, workerId } from '@essaim/core';
import { Dispatcher, LocalExperts } from '@essaim/dispatch';
import { openCheckpointFolder } from '@essaim/files';
import { kvLayoutOf, KvPool } from '@essaim/kv';
import { ModelRunner } from '@essaim/runner';
import { systemClock } from '@essaim/telemetry';
import { spreadExperts } from '@essaim/testing';
import { describe, expect, it } from 'vitest';
import { PlainLatentModel } from './plain-latent.ts';
import { checkpointDirectory, latentLogitsNames, logitsRow, readLogits } from './read-vectors.ts';

const LOGIT_TOLERANCE = 5e-5;
/** In Mistral's layout, the weights of a fixture in Hugging Face's. */
const TWINS = [
  ['mistral4-yarn-bf16', 'mistral4-yarn-mistral-layout'], ['mistral4-yarn-uncorrected-bf16', 'mistral4-yarn-uncorrected-mistral-layout'],
] as const;
const checkpoints = [
  ...latentLogitsNames().flatMap((name) => readLogits(name).checkpoints.map(({ folder }) => ({ name, folder }))),
  ...TWINS.map(([name, twin]) => ({ name, folder: `test/golden/models/${twin}` })),
];

const NEVER = new AbortController().signal;
const self = workerId('w1');

describe('models with latent attention, computed in plain loops, are those of transformers', () => {
  it.each(checkpoints)('$folder gives the logits of $name for the prompt, in two chunks, and for 32 decoded tokens', async ({ name, folder }) => {
    const vector = readLogits(name);
    const { spec, weights, close } = await openCheckpoint(openCheckpointFolder(checkpointDirectory(folder)));
    const model = new PlainLatentModel(spec, weights);
    const snapshot: ClusterSnapshot = {
      clusterId: 'plain', epoch: 1, model: { id: name, directory: folder, dtype: 'float32', deterministic: true }, workers: [], placement: spreadExperts(spec, { workers: 1, replicas: 1, seed: 1 }),
    };
    const local = new LocalExperts({ runner: model, epoch: () => 1, clock: systemClock });
    const dispatcher = new Dispatcher({ self, local, peer: () => null, snapshot: () => snapshot, newerThan: () => Promise.resolve(null), clock: systemClock, deterministic: true });
    const runner = new ModelRunner({ spec, pieces: model, dispatcher, evenAttention: false });
    const tokenIds = [...vector.promptIds, ...vector.greedyIds];
    const cache = new KvPool(kvLayoutOf(spec), 1 << 24).reserve(tokenIds.length)!;
    const ends = [17, ...[...tokenIds.keys()].filter((end) => end >= vector.promptIds.length), tokenIds.length];
    let largest = 0;
    for (const [step, end] of ends.entries()) {
      const first = step === 0 ? 0 : ends[step - 1]!;
      const [output] = await runner.forward([{ cache, first, tokenIds: tokenIds.slice(first, end), logitsOfLast: end - first }], NEVER);
      expect(output!.failure).toBeNull();
      output!.logits!.forEach((logit, index) => {
        largest = Math.max(largest, Math.abs(logit - logitsRow(vector, first + Math.floor(index / vector.columns))[index % vector.columns]!));
      });
    }
    expect(largest).toBeLessThan(LOGIT_TOLERANCE);
    await close();
  });
});
