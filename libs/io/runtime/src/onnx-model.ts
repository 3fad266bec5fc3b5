import { AppError, assert, type ExpertKey, type ModelSpec } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '@essaim/dispatch';
import { type PieceKey, pieceName } from '@essaim/graph';
import { type AttentionInput, type ModelPieces, type PostOutput, type PreOutput, type RopeAngles } from '@essaim/runner';
import { OnnxSession } from './onnx-session.ts';

/** A compiled piece on disk. */
export interface PieceFile {
  readonly key: PieceKey;
  readonly modelFile: string;
  readonly weightBytes: number;
}

interface Loaded {
  readonly key: PieceKey;
  readonly session: OnnxSession;
  readonly weightBytes: number;
}

/** The pieces of a model that this process holds, dense part and experts alike, each run by ONNX Runtime. Owns their sessions. */
export class OnnxModel implements ModelPieces, ExpertRunner {
  readonly #spec: ModelSpec;
  readonly #threads: number;
  readonly #loaded = new Map<string, Loaded>();

  constructor(spec: ModelSpec, { threads }: { readonly threads: number }) {
    this.#spec = spec;
    this.#threads = threads;
  }

  /** Bytes of weights that are loaded. */
  get weightBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { weightBytes }) => sum + weightBytes, 0);
  }

  has(key: PieceKey): boolean {
    return this.#loaded.has(pieceName(key));
  }

  keys(): PieceKey[] {
    return [...this.#loaded.values()].map(({ key }) => key);
  }

  async load({ key, modelFile, weightBytes }: PieceFile): Promise<void> {
    if (this.has(key)) return;
    this.#loaded.set(pieceName(key), { key, session: await OnnxSession.load(modelFile, { threads: this.#threads }), weightBytes });
  }

  async unload(key: PieceKey): Promise<void> {
    const loaded = this.#loaded.get(pieceName(key));
    this.#loaded.delete(pieceName(key));
    await loaded?.session.release();
  }

  async close(): Promise<void> {
    const sessions = [...this.#loaded.values()].map(({ session }) => session);
    this.#loaded.clear();
    for (const session of sessions) await session.release();
  }

  async embed(tokenIds: readonly number[]): Promise<Float32Array> {
    const { hidden } = await this.#session({ kind: 'embed' }).run({ ids: { data: BigInt64Array.from(tokenIds, BigInt), dims: [tokenIds.length] } });
    return hidden!;
  }

  async pre(layer: number, hidden: Float32Array, { cos, sin }: RopeAngles): Promise<PreOutput> {
    const { hiddenSize, attention } = this.#spec;
    const tokens = hidden.length / hiddenSize;
    const angles = [1, tokens, attention.headSize / 2];
    const { query, key, value } = await this.#session({ kind: 'pre', layer }).run({
      hidden: { data: hidden, dims: [tokens, hiddenSize] }, cos: { data: cos, dims: angles }, sin: { data: sin, dims: angles },
    });
    return { query: query!, key: key!, value: value! };
  }

  async attend({ query, key, value, tokens, length, mask }: AttentionInput): Promise<Float32Array> {
    const { headCount, kvHeadCount, headSize } = this.#spec.attention;
    const inputs = {
      query: { data: query, dims: [1, tokens, headCount * headSize] },
      key: { data: key, dims: [1, length, kvHeadCount * headSize] },
      value: { data: value, dims: [1, length, kvHeadCount * headSize] },
    };
    const masked = mask === null ? inputs : { ...inputs, mask: { data: mask, dims: [tokens, length] } };
    const { attended } = await this.#session({ kind: 'attention', masked: mask !== null }).run(masked);
    return attended!;
  }

  async post(layer: number, attended: Float32Array, hidden: Float32Array): Promise<PostOutput> {
    const { hiddenSize } = this.#spec;
    const tokens = hidden.length / hiddenSize;
    const { next, normed, routerLogits } = await this.#session({ kind: 'post', layer }).run({
      attended: { data: attended, dims: [1, tokens, attended.length / tokens] }, hidden: { data: hidden, dims: [tokens, hiddenSize] },
    });
    return { next: next!, routed: normed === undefined || routerLogits === undefined ? null : { normed, routerLogits } };
  }

  async head(hidden: Float32Array): Promise<Float32Array> {
    const { hiddenSize } = this.#spec;
    const { logits } = await this.#session({ kind: 'head' }).run({ hidden: { data: hidden, dims: [hidden.length / hiddenSize, hiddenSize] } });
    return logits!;
  }

  holds(key: ExpertKey): boolean {
    return this.has({ kind: 'expert', ...key });
  }

  async run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    const { hiddenSize } = this.#spec;
    const sessions = groups.map(({ expert }) => this.#expert({ layer, expert }));
    return Promise.all(groups.map(async ({ activations }, nth) => {
      const { output } = await sessions[nth]!.run({ input: { data: activations, dims: [activations.length / hiddenSize, hiddenSize] } });
      return output!;
    }));
  }

  #expert(key: ExpertKey): OnnxSession {
    const loaded = this.#loaded.get(pieceName({ kind: 'expert', ...key }));
    if (loaded === undefined) throw new AppError('failed_precondition', `expert ${key.expert} of layer ${key.layer} is not on this worker`);
    return loaded.session;
  }

  #session(key: PieceKey): OnnxSession {
    const loaded = this.#loaded.get(pieceName(key));
    assert(loaded, `${pieceName(key)} is loaded before it runs`);
    return loaded.session;
  }
}
