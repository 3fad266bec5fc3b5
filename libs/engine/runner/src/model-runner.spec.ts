import { AppError, type ModelSpec, PLAIN_ROUTER, workerId } from '@essaim/core';
import { type DispatchResult, type DispatchWork } from '@essaim/dispatch';
import { KvPool } from '@essaim/kv';
import { describe, expect, it } from 'vitest';
import { type ModelPieces } from './model-pieces.ts';
import { type ForwardOutput, ModelRunner } from './model-runner.ts';

const EXPERTS = 4;
const SPEC: ModelSpec = {
  family: 'deepseek-v3', vocabSize: 2, hiddenSize: 2, layerCount: 3, contextLength: 64,
  attention: { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 2, slidingWindow: null }, rope: { kind: 'default', theta: 10_000 }, queryScaling: null,
  feedForward: {
    kind: 'moe', size: 2, expertCount: EXPERTS, expertsPerToken: 1, sharedSize: 2, denseLayerCount: 1, denseSize: 2,
    router: { ...PLAIN_ROUTER, kind: 'sigmoid', correctionBias: true, renormalised: false },
  },
  normEpsilon: 1e-5, tiedEmbedding: false, bosTokenId: 0, eosTokenIds: [1],
};

/**
 * The first layer is dense, the two behind it are routed and share experts. Attention adds nothing, the network that every token passes
 * adds 1, the experts of layer n 10 to the power of n, and logits are the hidden state: digits say what was added.
 */
class ToyModel {
  readonly acts: string[] = [];
  readonly works: DispatchWork[] = [];
  /** Of every router: which expert it moves the choice to. */
  biasedTo = 2;
  /** What becomes of the experts of a layer. */
  dispatchOf: (work: DispatchWork) => Promise<DispatchResult> = (work) => Promise.resolve(resultOf(work));

  async forward(tokenIds: readonly number[], signal = new AbortController().signal): Promise<ForwardOutput> {
    const dispatcher = {
      dispatch: (work: DispatchWork) => {
        this.acts.push(`dispatch ${work.layer}`);
        this.works.push(work);
        return this.dispatchOf(work);
      },
    };
    const runner = new ModelRunner({ spec: SPEC, pieces: this.#pieces(), dispatcher, evenAttention: false, sameInAnyChunk: false });
    const cache = new KvPool({ layerCount: 3, keyWidth: 2, valueWidth: 2, dtype: 'f32' }, 1 << 12).reserve(16)!;
    const [output] = await runner.forward([{ cache, first: 0, tokenIds, logitsOfLast: tokenIds.length }], signal);
    return output!;
  }

  #pieces(): ModelPieces {
    return {
      embed: async (ids) => new Float32Array(2 * ids.length),
      attend: async (layer, hidden) => {
        const common = { next: hidden.slice(), normed: hidden.slice() };
        if (layer === 0) return { ...common, routerLogits: null };
        return { ...common, routerLogits: new Float32Array((hidden.length / 2) * EXPERTS), correctionBias: new Float32Array(EXPERTS).with(this.biasedTo, 1) };
      },
      dense: async (layer, activations) => {
        this.acts.push(`dense ${layer}`);
        return activations.map(() => 1);
      },
      head: async (hidden) => hidden.slice(),
    };
  }
}

const resultOf = ({ layer, activations, routing }: DispatchWork): DispatchResult => {
  const rows = activations.length / 2;
  const counts = new Uint32Array(rows);
  return {
    output: new Float32Array(activations.length).fill(10 ** layer), failures: new Map(), localExpertCalls: counts.map(() => routing.expertsPerToken), remoteExpertCalls: counts, retriedExpertCalls: counts,
    workers: Array.from({ length: rows }, () => new Set([workerId('w1')])),
  };
};

describe('a model whose first layer is dense and whose experts are partly shared', () => {
  it('runs the network of a dense layer, and beside the chosen experts of each further layer the shared ones', async () => {
    const model = new ToyModel();
    const { logits, localExpertCalls } = await model.forward([0, 1, 0]);
    expect(logits).toEqual(new Float32Array(6).fill(1 + (10 + 1) + (100 + 1)));
    expect(model.acts).toEqual(['dense 0', 'dispatch 1', 'dense 1', 'dispatch 2', 'dense 2']);
    expect(localExpertCalls).toBe(2 * 3);
  });

  it('chooses with the correction bias of the layer', async () => {
    const model = new ToyModel();
    await model.forward([0]);
    expect(model.works.map(({ routing }) => [...routing.experts])).toEqual([[2], [2]]);
    expect([...model.works[0]!.routing.gates]).toEqual([0.5]);
  });

  it('computes the shared experts while other workers compute theirs', async () => {
    const model = new ToyModel();
    model.dispatchOf = async (work) => {
      await Promise.resolve();
      expect(model.acts.at(-1)).toBe(`dense ${work.layer}`);
      return resultOf(work);
    };
    expect((await model.forward([0])).logits).toEqual(new Float32Array(2).fill(113));
  });

  it('fails a row whose experts fail, and lets the others be', async () => {
    const model = new ToyModel();
    const failure = new AppError('unavailable', 'nobody has this expert');
    model.dispatchOf = async (work) => ({ ...resultOf(work), failures: new Map([[1, failure]]) });
    expect((await model.forward([0, 1])).failure).toBe(failure);
  });

  it('ends with the reason of experts that were given up, whatever becomes of the shared ones', async () => {
    const model = new ToyModel();
    const reason = new AppError('cancelled', 'nobody waits');
    model.dispatchOf = () => Promise.reject(reason);
    await expect(model.forward([0])).rejects.toBe(reason);
  });
});
