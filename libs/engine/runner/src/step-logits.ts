import { type FewLogits, type FewNeeded } from '@essaim/sampling';
import { type KeptLogits } from './model-pieces.ts';
import { type StepRows } from './step-rows.ts';

/** What an item needs of the logits of its tokens, where the best few may be enough. */
export interface FewWanted extends FewNeeded {
  /** Whether these are, behind the nth of the tokens whose logits are wanted. */
  isEnough(few: FewLogits, nth: number): boolean;
}

/** The rows of one item whose logits are wanted. */
export interface LogitsWanted {
  readonly rows: readonly number[];
  readonly few: FewWanted | null;
}

/** Of one item: all logits, [rows, vocab], or the best few of each row. */
export type ItemLogits = { readonly logits: Float32Array; readonly few: null } | { readonly logits: null; readonly few: readonly FewLogits[] };

/** Rows whose logits are computed at once: bounds the memory for long prompts whose logprobs are asked for. */
const HEAD_ROWS = 64;

/** Of each item what it wants. Few logits come of an item where they are enough for all of its rows. */
export async function logitsOf(rows: StepRows, wanted: readonly LogitsWanted[], vocabSize: number): Promise<ItemLogits[]> {
  const found = new Map<LogitsWanted, ItemLogits>();
  for (const items of batches(wanted.filter(mayBeFew))) {
    const kept = await rows.keepLogits(rowsOf(items));
    // Then none are ever left there.
    if (kept === null) break;
    try {
      await takeKept(kept, items, found);
    } finally {
      kept.release();
    }
  }
  const whole = wanted.filter((item) => !found.has(item));
  const logits = await allLogits(rows, rowsOf(whole), vocabSize);
  let row = 0;
  for (const item of whole) found.set(item, { logits: logits.subarray(row * vocabSize, (row += item.rows.length) * vocabSize), few: null });
  return wanted.map((item) => found.get(item)!);
}

type MayBeFew = LogitsWanted & { readonly few: FewWanted };

const mayBeFew = (item: LogitsWanted): item is MayBeFew => item.few !== null && item.rows.length <= HEAD_ROWS;

const rowsOf = (items: readonly LogitsWanted[]): Uint32Array => Uint32Array.from(items.flatMap(({ rows }) => rows));

async function takeKept(kept: KeptLogits, items: readonly MayBeFew[], found: Map<LogitsWanted, ItemLogits>): Promise<void> {
  const few = await kept.few(items.flatMap((item) => item.rows.map(() => item.few)));
  let first = 0;
  for (const item of items) {
    const own = few.slice(first, first + item.rows.length);
    if (own.every((each, nth) => item.few.isEnough(each, nth))) found.set(item, { logits: null, few: own });
    else found.set(item, { logits: await kept.take(Uint32Array.from(own, (_, nth) => first + nth)), few: null });
    first += own.length;
  }
}

async function allLogits(rows: StepRows, wanted: Uint32Array, vocabSize: number): Promise<Float32Array> {
  if (wanted.length === 0) return new Float32Array(0);
  if (wanted.length <= HEAD_ROWS) return rows.logits(wanted);
  const logits = new Float32Array(wanted.length * vocabSize);
  for (let row = 0; row < wanted.length; row += HEAD_ROWS) logits.set(await rows.logits(wanted.slice(row, row + HEAD_ROWS)), row * vocabSize);
  return logits;
}

/** Items whose rows are computed at once. */
function* batches<T extends LogitsWanted>(items: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let count = 0;
  for (const item of items) {
    if (count + item.rows.length > HEAD_ROWS) {
      yield batch;
      [batch, count] = [[], 0];
    }
    batch.push(item);
    count += item.rows.length;
  }
  if (batch.length > 0) yield batch;
}
