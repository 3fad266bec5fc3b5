import { AppError, assert, type ModelSpec, type WorkerId } from '@essaim/core';
import { type Dispatcher, type DispatchResult, route } from '@essaim/dispatch';
import { type KvCache } from '@essaim/kv';
import { type Attended, type AttentionStep, type ModelPieces } from './model-pieces.ts';
import { RopeTable } from './rope-table.ts';

/** Consecutive tokens of one sequence within a step. */
export interface ForwardItem {
  readonly cache: KvCache;
  /** Position of the first one: the committed length of the cache. */
  readonly first: number;
  readonly tokenIds: readonly number[];
  /** Logits are wanted for the last so many of them; 0 for none. */
  readonly logitsOfLast: number;
  /** The last so many of them are guesses: computed, but not committed. Default: none. */
  readonly draftCount?: number;
}

export interface ForwardOutput {
  /** [logitsOfLast, vocab]; null where nothing was wanted or it failed. */
  readonly logits: Float32Array | null;
  /** Why this item failed, whatever became of the others. */
  readonly failure: AppError | null;
  /** How many of the guesses, from the first on, were computed: one that fails costs itself and those behind it, not the item. */
  readonly soundDrafts: number;
  readonly localExpertCalls: number;
  readonly remoteExpertCalls: number;
  readonly retriedExpertCalls: number;
  readonly workers: ReadonlySet<WorkerId>;
}

export interface RunnerOptions {
  readonly spec: ModelSpec;
  readonly pieces: ModelPieces;
  /** Only a model with routed experts has one. */
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>;
  /** See `AttentionStep.even`. */
  readonly evenAttention: boolean;
  /** See `AttentionStep.sameInAnyChunk`. */
  readonly sameInAnyChunk: boolean;
}

/** An item within the rows of a step. */
interface Span extends Required<ForwardItem> {
  readonly row: number;
  readonly count: number;
  failure: AppError | null;
  soundDrafts: number;
  localExpertCalls: number;
  remoteExpertCalls: number;
  retriedExpertCalls: number;
  readonly workers: Set<WorkerId>;
}

/** Rows whose logits are computed at once: bounds the memory for long prompts whose logprobs are asked for. */
const HEAD_ROWS = 64;

/** Runs the model over the tokens of one step, sequences mixed. Appends to their caches and commits them; changes nothing else. */
export class ModelRunner {
  readonly #options: RunnerOptions;
  readonly #rope: RopeTable;
  #step = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#rope = new RopeTable(options.spec);
  }

  /** One output per item. An item that fails keeps its cache as it was. */
  async forward(items: readonly ForwardItem[], signal: AbortSignal): Promise<ForwardOutput[]> {
    const { spec, pieces } = this.#options;
    const spans = this.#layOut(items);
    const step = ++this.#step;
    let hidden = await pieces.embed(spans.flatMap((span) => span.tokenIds));
    const { evenAttention: even, sameInAnyChunk } = this.#options;
    const angles = this.#rope.rows(spans.flatMap((span) => Array.from({ length: span.count }, (_, index) => span.first + index)));
    const attention: AttentionStep = { spans, even, sameInAnyChunk, angles };
    for (let layer = 0; layer < spec.layerCount && spans.some((span) => span.failure === null); layer++) {
      const attended = await pieces.attend(layer, hidden, attention);
      await this.#addFeedForward({ step, layer }, attended, spans, signal);
      hidden = attended.next;
    }
    return this.#finish(hidden, spans);
  }

  #layOut(items: readonly ForwardItem[]): Span[] {
    let row = 0;
    return items.map(({ draftCount = 0, ...item }) => {
      const count = item.tokenIds.length;
item.cache.prepare(count);
      const span: Span = { ...item, draftCount, row, count, failure: null, soundDrafts: draftCount, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, workers: new Set() };
      row += count;
      return span;
    });
  }

  /** Adds what the layer's network returns, or its experts do, the shared ones among them, to `next`, in place. */
  async #addFeedForward(place: { readonly step: number; readonly layer: number }, { next, normed, routerLogits, correctionBias }: Attended, spans: readonly Span[], signal: AbortSignal): Promise<void> {
    const { spec: { feedForward, hiddenSize }, pieces, dispatcher } = this.#options;
    if (routerLogits === null) return add(next, await pieces.dense(place.layer, normed));
    assert(feedForward.kind === 'moe', 'only a model with experts routes');
    const routing = route(routerLogits, feedForward, correctionBias ?? null);
    const dispatched = dispatcher.dispatch({ ...place, hiddenSize, activations: normed, routing }, signal);
    // Asked for when the calls to other workers are on their way.
    const shared = feedForward.sharedSize === 0 ? null : pieces.dense(place.layer, normed);
    const [result, common] = await Promise.all([dispatched, shared]);
    if (common !== null) add(result.output, common);
    add(next, result.output);
    for (const span of spans) this.#count(span, result);
  }

  #count(span: Span, result: DispatchResult): void {
    for (let row = span.row; row < span.row + span.count; row++) {
      const failure = result.failures.get(row);
      if (failure !== undefined) fail(span, row - span.row, failure);
      span.localExpertCalls += result.localExpertCalls[row]!;
      span.remoteExpertCalls += result.remoteExpertCalls[row]!;
      span.retriedExpertCalls += result.retriedExpertCalls[row]!;
      for (const worker of result.workers[row]!) span.workers.add(worker);
    }
  }

  async #finish(hidden: Float32Array, spans: readonly Span[]): Promise<ForwardOutput[]> {
    const { hiddenSize, vocabSize } = this.#options.spec;
    // A NaN in any layer's keys or values is in the hidden state of its token: what is committed is sound, also for sequences that copy it.
    for (const span of spans) {
      for (let index = 0; index < span.count; index++) if (!rows(hidden, hiddenSize, span.row + index, 1).every(Number.isFinite)) fail(span, index, notANumber());
    }
    const wanted = spans.filter(wantsLogits);
    const gathered = new Float32Array(wanted.reduce((sum, span) => sum + span.logitsOfLast, 0) * hiddenSize);
    let offset = 0;
    for (const span of wanted) {
      gathered.set(rows(hidden, hiddenSize, span.row + span.count - span.logitsOfLast, span.logitsOfLast), offset);
      offset += span.logitsOfLast * hiddenSize;
    }
    const logits = await this.#head(gathered);
    let row = 0;
    return spans.map((span) => {
      if (span.failure === null) span.cache.commit(span.tokenIds.slice(0, span.count - span.draftCount));
      if (!wantsLogits(span)) return { ...span, logits: null };
      const own = rows(logits, vocabSize, row, span.logitsOfLast);
      row += span.logitsOfLast;
      return { ...span, logits: own };
    });
  }

  async #head(hidden: Float32Array): Promise<Float32Array> {
    const { pieces, spec } = this.#options;
    const total = hidden.length / spec.hiddenSize;
    if (total === 0) return new Float32Array(0);
    if (total <= HEAD_ROWS) return pieces.head(hidden);
    const logits = new Float32Array(total * spec.vocabSize);
    for (let row = 0; row < total; row += HEAD_ROWS) {
      logits.set(await pieces.head(rows(hidden, spec.hiddenSize, row, Math.min(HEAD_ROWS, total - row))), row * spec.vocabSize);
    }
    return logits;
  }
}

/** Of token `index` of an item. */
function fail(span: Span, index: number, failure: AppError): void {
  const draft = index - (span.count - span.draftCount);
  if (draft < 0) span.failure ??= failure;
  else span.soundDrafts = Math.min(span.soundDrafts, draft);
}

const wantsLogits = ({ failure, logitsOfLast }: Span): boolean => failure === null && logitsOfLast > 0;

/** `count` rows from `first` of a row-major matrix: a view. */
const rows = (matrix: Float32Array, width: number, first: number, count: number): Float32Array => matrix.subarray(first * width, (first + count) * width);

/** In place. */
function add(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}

const notANumber = (): AppError =>
  new AppError('internal', 'the model produced a value that is not a number: send the request again, and if it repeats check the checkpoint or use another dtype');
