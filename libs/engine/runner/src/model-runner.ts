import { AppError, assert, type ModelSpec, type WorkerId } from '@essaim/core';
import { type DispatchOutcome, route } from '@essaim/dispatch';
import { type KvCache } from '@essaim/kv';
import { type FewLogits } from '@essaim/sampling';
import { type AttentionStep, type RouterOutput } from './model-pieces.ts';
import { RopeTable } from './rope-table.ts';
import { type FewWanted, logitsOf } from './step-logits.ts';
import { openRows, type StepCompute, type StepRows } from './step-rows.ts';

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
  /** Where the best few logits of a token may be enough. Default: all are wanted. */
  readonly few?: FewWanted | null;
}

export interface ForwardOutput {
  /** [logitsOfLast, vocab]; null where nothing was wanted, few were enough, or it failed. */
  readonly logits: Float32Array | null;
  /** [logitsOfLast]: in place of `logits`, where few were enough. */
  readonly few: readonly FewLogits[] | null;
  /** Why this item failed, whatever became of the others. */
  readonly failure: AppError | null;
  /** How many of the guesses, from the first on, were computed: one that fails costs itself and those behind it, not the item. */
  readonly soundDrafts: number;
  readonly localExpertCalls: number;
  readonly remoteExpertCalls: number;
  readonly retriedExpertCalls: number;
  readonly workers: ReadonlySet<WorkerId>;
}

export type RunnerOptions = StepCompute & {
  readonly spec: ModelSpec;
  /** See `AttentionStep.even`. */
  readonly evenAttention: boolean;
  /** See `AttentionStep.sameInAnyChunk`. */
  readonly sameInAnyChunk: boolean;
};

/** An item within the rows of a step. */
interface Span extends Required<Omit<ForwardItem, 'few'>> {
  readonly wanted: FewWanted | null;
  readonly row: number;
  readonly count: number;
  failure: AppError | null;
  soundDrafts: number;
  localExpertCalls: number;
  remoteExpertCalls: number;
  retriedExpertCalls: number;
  readonly workers: Set<WorkerId>;
}

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
    const { spec, evenAttention: even, sameInAnyChunk } = this.#options;
    const spans = this.#layOut(items);
    const step = ++this.#step;
    const angles = this.#rope.rows(spans.flatMap((span) => Array.from({ length: span.count }, (_, index) => span.first + index)));
    const attention: AttentionStep = { spans, even, sameInAnyChunk, angles };
    const rows = await openRows(this.#options, spans.flatMap((span) => span.tokenIds), { hiddenSize: spec.hiddenSize, attention });
    try {
      for (let layer = 0; layer < spec.layerCount && spans.some((span) => span.failure === null); layer++) {
        const router = await rows.attend(layer);
        await this.#addFeedForward({ step, layer }, router, { rows, spans }, signal);
      }
      return await this.#finish(rows, spans);
    } finally {
      rows.release();
    }
  }

  #layOut(items: readonly ForwardItem[]): Span[] {
    let row = 0;
    return items.map(({ draftCount = 0, few: wanted = null, ...item }) => {
      const count = item.tokenIds.length;
      item.cache.prepare(count);
      const span: Span = { ...item, wanted, draftCount, row, count, failure: null, soundDrafts: draftCount, localExpertCalls: 0, remoteExpertCalls: 0, retriedExpertCalls: 0, workers: new Set() };
      row += count;
      return span;
    });
  }

  /** Adds what the layer's network returns, or its experts do, the shared ones among them, to the rows. */
  async #addFeedForward(place: { readonly step: number; readonly layer: number }, { routerLogits, correctionBias }: RouterOutput, { rows, spans }: { readonly rows: StepRows; readonly spans: readonly Span[] }, signal: AbortSignal): Promise<void> {
    const { spec: { feedForward, hiddenSize } } = this.#options;
    if (routerLogits === null) return void (await rows.addNetworks({ layer: place.layer, routed: null, dense: true }, signal));
    assert(feedForward.kind === 'moe', 'only a model with experts routes');
    const routing = route(routerLogits, feedForward, correctionBias ?? null);
    const outcome = await rows.addNetworks({ layer: place.layer, routed: { ...place, hiddenSize, routing }, dense: feedForward.sharedSize > 0 }, signal);
    for (const span of spans) this.#count(span, outcome!);
  }

  #count(span: Span, result: DispatchOutcome): void {
    for (let row = span.row; row < span.row + span.count; row++) {
      const failure = result.failures.get(row);
      if (failure !== undefined) fail(span, row - span.row, failure);
      span.localExpertCalls += result.localExpertCalls[row]!;
      span.remoteExpertCalls += result.remoteExpertCalls[row]!;
      span.retriedExpertCalls += result.retriedExpertCalls[row]!;
      for (const worker of result.workers[row]!) span.workers.add(worker);
    }
  }

  async #finish(rows: StepRows, spans: readonly Span[]): Promise<ForwardOutput[]> {
    const { vocabSize } = this.#options.spec;
    // A NaN in any layer's keys or values is in the hidden state of its token: what is committed is sound, also for sequences that copy it.
    const isNumber = await rows.areNumbers();
    for (const span of spans) {
      for (let index = 0; index < span.count; index++) if (!isNumber(span.row + index)) fail(span, index, notANumber());
    }
    const wanting = spans.filter(wantsLogits);
    const wanted = wanting.map(({ row, count, logitsOfLast, wanted: few }) => ({ rows: Array.from({ length: logitsOfLast }, (_, index) => row + count - logitsOfLast + index), few }));
    const found = await logitsOf(rows, wanted, vocabSize);
    return spans.map((span) => {
      if (span.failure === null) span.cache.commit(span.tokenIds.slice(0, span.count - span.draftCount));
      return { ...span, ...(found[wanting.indexOf(span)] ?? { logits: null, few: null }) };
    });
  }
}

/** Of token `index` of an item. */
function fail(span: Span, index: number, failure: AppError): void {
  const draft = index - (span.count - span.draftCount);
  if (draft < 0) span.failure ??= failure;
  else span.soundDrafts = Math.min(span.soundDrafts, draft);
}

const wantsLogits = ({ failure, logitsOfLast }: Span): boolean => failure === null && logitsOfLast > 0;

const notANumber = (): AppError =>
  new AppError('internal', 'the model produced a value that is not a number: send the request again, and if it repeats check the checkpoint or use another dtype');
