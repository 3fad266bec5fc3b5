import { assert, KV_DTYPES, type KvDtype } from '@essaim/core';

/** What all threads do together, each its share. Numbers only: it lies in memory that all of them see. Banks are named by their number, what is in them by address. */
export type Job = AttendJob | FeedForwardJob | HeadJob;

export interface AttendJob {
  readonly kind: 'attend';
  readonly layer: number;
  readonly bank: number;
  readonly at: number;
  readonly rows: number;
  /** See `AttentionStep.sameInAnyChunk`. */
  readonly sameInAnyChunk: boolean;
  readonly spans: readonly JobSpan[];
}

/** Consecutive tokens of one sequence: their first row in the job, the first one's position, and where the sequence's keys and values of the layer are. */
export interface JobSpan {
  readonly row: number;
  readonly count: number;
  readonly first: number;
  readonly bank: number;
  readonly at: number;
  /** In tokens. */
  readonly capacity: number;
  readonly dtype: KvDtype;
}

/** Experts of one layer, or one layer's own network, each over its own rows; the rows of all of them lie one behind the other. */
export interface FeedForwardJob {
  readonly kind: 'feed-forward';
  readonly layer: number;
  /** The networks are routed experts. */
  readonly routed: boolean;
  readonly bank: number;
  readonly groups: readonly { readonly at: number; readonly rows: number }[];
}

export interface HeadJob {
  readonly kind: 'head';
  readonly bank: number;
  readonly at: number;
  readonly rows: number;
}

const KINDS = ['attend', 'feed-forward', 'head', 'messages'] as const;
/** Enough for as many sequences, or experts, as a job's rows can be of. */
export const JOB_INTEGERS = 1 << 12;

/** Addresses are up to 2^32: they come back unsigned. The first integer is how many there are. */
export function writeJob(job: Job | { readonly kind: 'messages' }, words: Uint32Array): void {
  let next = 1;
  const put = (...values: readonly number[]): void => {
    for (const value of values) words[next++] = value;
  };
  put(KINDS.indexOf(job.kind));
  if (job.kind === 'attend') {
    put(job.layer, job.bank, job.at, job.rows, Number(job.sameInAnyChunk), job.spans.length);
    for (const { row, count, first, bank, at, capacity, dtype } of job.spans) put(row, count, first, bank, at, capacity, KV_DTYPES.indexOf(dtype));
  } else if (job.kind === 'feed-forward') {
    put(job.layer, Number(job.routed), job.bank, job.groups.length);
    for (const { at, rows } of job.groups) put(at, rows);
  } else if (job.kind === 'head') {
    put(job.bank, job.at, job.rows);
  }
  assert(next <= words.length, 'a job fits the integers that are there for it');
  words[0] = next;
}

/** What was written, or what is there of several jobs where it was written anew meanwhile. */
export const copyJob = (words: Uint32Array, into: Uint32Array): void => into.set(words.subarray(0, Math.min(words[0]!, into.length)));

/** Null: there are messages to read. */
export function readJob(words: Uint32Array): Job | null {
  let next = 1;
  const word = (): number => words[next++]!;
  const kind = KINDS[word()];
  switch (kind) {
    case 'attend': {
      const [layer, bank, at, rows, sameInAnyChunk] = [word(), word(), word(), word(), word() === 1];
      const spans = Array.from({ length: word() }, () => ({ row: word(), count: word(), first: word(), bank: word(), at: word(), capacity: word(), dtype: KV_DTYPES[word()]! }));
      return { kind, layer, bank, at, rows, sameInAnyChunk, spans };
    }
    case 'feed-forward': {
      const [layer, routed, bank] = [word(), word() === 1, word()];
      return { kind, layer, routed, bank, groups: Array.from({ length: word() }, () => ({ at: word(), rows: word() })) };
    }
    case 'head':
      return { kind, bank: word(), at: word(), rows: word() };
    default:
      return null;
  }
}
