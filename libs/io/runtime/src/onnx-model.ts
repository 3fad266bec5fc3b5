import { AppError, assert, type ExpertKey, type ModelSpec } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '@essaim/dispatch';
import { type PieceKey, pieceName, sliceCount } from '@essaim/graph';
import { type Attended, type AttentionStep, type ModelPieces } from '@essaim/runner';
import { type ComputeJob, type JobOutput, feedForwardName } from './compute-job.ts';
import { following } from './compute-signal.ts';
import { ComputeThreads } from './compute-threads.ts';
import { ModelSlice, type SliceStep, visibilitiesOf } from './model-slice.ts';
import { type PieceFile } from './piece-file.ts';

export interface OnnxModelOptions {
  /** The serving thread's own included. */
  readonly threads: number;
  /** What the pieces were compiled for; each slice has a thread. Default: 1, and the threads work inside operators. */
  readonly slices?: number;
  /** The file that such a thread runs, see `runComputeThread`; for more than one slice. */
  readonly threadEntry?: URL;
}

interface Loaded {
  readonly key: PieceKey;
  readonly weightBytes: number;
}

/** The pieces of a model that this process holds, dense part and experts alike, each run by ONNX Runtime, cut into slices that run side by side. Owns their threads and sessions. */
export class OnnxModel implements ModelPieces, ExpertRunner {
  readonly #spec: ModelSpec;
  readonly #slices: number;
  readonly #own: ModelSlice;
  readonly #others: ComputeThreads | null;
  readonly #loaded = new Map<string, Loaded>();
  readonly #steps = new WeakMap<AttentionStep, { readonly id: number; readonly step: SliceStep }>();
  #stepId = 0;
  /** Ends when nobody runs: the threads do one job at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(spec: ModelSpec, { threads, slices = 1, threadEntry }: OnnxModelOptions) {
    this.#spec = spec;
    this.#slices = slices;
    const inside = Math.max(1, Math.floor(threads / slices));
    this.#own = new ModelSlice({ spec, slice: { index: 0, of: slices }, threads: inside });
    this.#others = slices > 1 && threadEntry !== undefined ? new ComputeThreads({ spec, slices, threads: inside, entry: threadEntry }) : null;
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

  load({ key, modelFiles, weightBytes }: PieceFile): Promise<void> {
    return this.#alone(async () => {
      if (this.has(key)) return;
      assert(modelFiles.length === sliceCount(key, this.#slices), 'a piece was compiled for as many slices as the model is cut into');
      const name = pieceName(key);
      const elsewhere = this.#others !== null && modelFiles.length > 1 ? this.#others.tellEach((slice) => [{ kind: 'load', name, modelFile: modelFiles[slice]! }]) : null;
      try {
        await settled([this.#own.load(name, modelFiles[0]!), elsewhere]);
      } catch (cause) {
        await this.#release(name);
        throw cause;
      }
      this.#loaded.set(name, { key, weightBytes });
    });
  }

  unload(key: PieceKey): Promise<void> {
    // From now on nobody is sent here.
    const name = pieceName(key);
    if (!this.#loaded.delete(name)) return Promise.resolve();
    return this.#alone(() => this.#release(name));
  }

  close(): Promise<void> {
    this.#loaded.clear();
    return this.#alone(async () => {
      await this.#own.close();
      await this.#others?.tell({ kind: 'close' });
    });
  }

  embed(tokenIds: readonly number[]): Promise<Float32Array> {
    return this.#alone(async () => {
      const { hidden } = await this.#own.session('embed').run({ ids: { data: BigInt64Array.from(tokenIds, BigInt), dims: [tokenIds.length] } });
      return hidden!;
    });
  }

  async attend(layer: number, hidden: Float32Array, step: AttentionStep): Promise<Attended> {
    return this.#post(layer, await this.#added(layer, hidden, step), hidden);
  }

  /** What attention adds to the hidden state. */
  #added(layer: number, hidden: Float32Array, step: AttentionStep): Promise<Float32Array> {
    return this.#alone(async () => {
      const { id, step: sliceStep } = await this.#known(step);
      const { cos, sin, queryScale } = step.angles;
      const rows = hidden.length / this.#spec.hiddenSize;
      return this.#together(
        [hidden, cos, sin, queryScale ?? NONE], hidden.length,
        ([hiddenAt, cosAt, sinAt, queryScaleAt], output) => ({
          kind: 'attend', layer, rows, even: step.even, stepId: id, hiddenAt: hiddenAt!, cosAt: cosAt!, sinAt: sinAt!, queryScaleAt: queryScaleAt!, output,
          spans: step.spans.map(({ cache, row, count }) => ({ cacheId: cache.id, row, count, first: cache.length })),
        }),
        () => this.#own.attend(layer, hidden, sliceStep),
      );
    });
  }

  #post(layer: number, added: Float32Array, hidden: Float32Array): Promise<Attended> {
    const { hiddenSize } = this.#spec;
    const dims = [hidden.length / hiddenSize, hiddenSize];
    return this.#alone(async () => {
      const { next, normed, routerLogits = null } = await this.#own.session(`post.${layer}`).run({ added: { data: added, dims }, hidden: { data: hidden, dims } });
      return { next: next!, normed: normed!, routerLogits };
    });
  }

  async dense(layer: number, activations: Float32Array): Promise<Float32Array> {
    const [output] = await this.#alone(() => this.#feedForward(layer, [{ expert: null, activations }]));
    return output!;
  }

  head(hidden: Float32Array): Promise<Float32Array> {
    const { hiddenSize, vocabSize } = this.#spec;
    const rows = hidden.length / hiddenSize;
    return this.#alone(async () => {
      if (this.#others === null) return this.#own.head(hidden);
      const logits = new Float32Array(rows * vocabSize);
      const slices = this.#others.count + 1;
      const start = (slice: number): number => Math.ceil((vocabSize * slice) / slices);
      const place = (slice: number, part: Float32Array): void => {
        const width = start(slice + 1) - start(slice);
        for (let row = 0; row < rows; row++) logits.set(part.subarray(row * width, (row + 1) * width), row * vocabSize + start(slice));
      };
      const stride = rows * start(1);
      const arena = await this.#others.arena(hidden.length + (slices - 1) * stride);
      arena.set(hidden);
      this.#others.begin({ kind: 'head', rows, inputAt: 0, output: { at: hidden.length, stride } });
      place(0, await this.#finishing(this.#own.head(hidden)));
      for (let slice = 1; slice < slices; slice++) place(slice, arena.subarray(hidden.length + (slice - 1) * stride));
      return logits;
    });
  }

  holds(key: ExpertKey): boolean {
    return this.has({ kind: 'expert', ...key });
  }

  run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    return this.#alone(async () => {
      const missing = groups.find(({ expert }) => !this.holds({ layer, expert }));
      if (missing !== undefined) throw new AppError('failed_precondition', `expert ${missing.expert} of layer ${layer} is not on this worker`);
      return this.#feedForward(layer, groups);
    });
  }

  async #feedForward(layer: number, groups: readonly { readonly expert: number | null; readonly activations: Float32Array }[]): Promise<Float32Array[]> {
    const { hiddenSize } = this.#spec;
    const own = (): Promise<Float32Array[]> => this.#own.feedForward(groups.map(({ expert, activations }) => ({ name: feedForwardName(layer, expert), activations })));
    if (this.#others === null) return own();
    const total = groups.reduce((sum, { activations }) => sum + activations.length, 0);
    const arena = await this.#others.arena(total * (1 + this.#others.count));
    let at = 0;
    const placed = groups.map(({ expert, activations }) => {
      arena.set(activations, at);
      at += activations.length;
      return { expert, rows: activations.length / hiddenSize, inputAt: at - activations.length };
    });
    this.#others.begin({ kind: 'feed-forward', layer, groups: placed, output: { at: total, stride: total } });
    const outputs = await this.#finishing(own());
    outputs.forEach((output, nth) => this.#addOthers(output, arena, { at: total + placed[nth]!.inputAt, stride: total }));
    return outputs;
  }

  /** What all slices of a job return, summed: its `inputs` are put where all threads see them, the own part is computed from the originals. */
  async #together(inputs: readonly Float32Array[], outputLength: number, job: (inputsAt: readonly number[], output: JobOutput) => ComputeJob, own: () => Promise<Float32Array>): Promise<Float32Array> {
    if (this.#others === null) return own();
    const inputLength = inputs.reduce((sum, { length }) => sum + length, 0);
    const arena = await this.#others.arena(inputLength + this.#others.count * outputLength);
    let at = 0;
    const inputsAt = inputs.map((input) => {
      arena.set(input, at);
      at += input.length;
      return at - input.length;
    });
    const output = { at: inputLength, stride: outputLength };
    this.#others.begin(job(inputsAt, output));
    const sum = await this.#finishing(own());
    this.#addOthers(sum, arena, output);
    return sum;
  }

  /** In ascending order of the slices, so that the sum does not depend on who was faster. */
  #addOthers(sum: Float32Array, arena: Float32Array, { at, stride }: JobOutput): void {
    for (let nth = 0; nth < this.#others!.count; nth++) {
      const from = at + nth * stride;
      for (let index = 0; index < sum.length; index++) sum[index]! += arena[from + index]!;
    }
  }

  /** Waits for the other threads whatever becomes of the own part: they still use what the job was given. */
  async #finishing<T>(own: Promise<T>): Promise<T> {
    try {
      return await own;
    } finally {
      this.#others?.finish();
    }
  }

  async #known(step: AttentionStep): Promise<{ readonly id: number; readonly step: SliceStep }> {
    const known = this.#steps.get(step);
    if (known !== undefined) return known;
    await this.#others?.share(step.spans.map(({ cache }) => cache));
    const spans = step.spans.map(({ cache, row, count }) => ({ buffer: cache.buffer, row, count, first: cache.length }));
    const made = { id: (this.#stepId = following(this.#stepId)), step: { angles: step.angles, spans, even: step.even, visibilities: visibilitiesOf(this.#spec, spans, step.even) } };
    this.#steps.set(step, made);
    return made;
  }

  /** Whatever slices of it are loaded. */
  async #release(name: string): Promise<void> {
    await this.#own.unload(name);
    await this.#others?.tell({ kind: 'unload', name });
  }

  /** One after the other, in the order of asking. */
  #alone<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const NONE = new Float32Array(0);

/** Waits for all, then fails as the first of them failed. */
async function settled(promises: readonly (Promise<void> | null)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) if (outcome.status === 'rejected') throw outcome.reason;
}
