import { quantisedStride } from '@essaim/panels';
import { ARENA_AT } from './bank.ts';

/** Rows that a job computes at most; more come in several jobs. */
export const JOB_ROWS = 256;
/** Rows whose logits a job computes at most: they are long. */
export const HEAD_ROWS = 64;

/** Where in a bank the arrays of a job are: addresses; all of float32 unless said otherwise, rows beside each other. */
export interface Arena {
  /** [rows, hidden]: what came from outside. */
  readonly input: number;
  /** [rows, hidden] after a norm, and quantised. */
  readonly normed: number;
  readonly quantised: number;
  /** [rows, hidden]: the residual stream. */
  readonly next: number;
  /** [rows, widthOf(hidden)]: the result of a last matrix. */
  readonly output: number;
  /** [rows, widthOf(experts)] */
  readonly router: number;
  /** [rows, projected]: queries, keys and values, in either bank. */
  readonly projected: number;
  /** Of latent attention. [rows, heads of latents and rotated parts]: what keys are compared with, in either bank. */
  readonly query: number;
  /** [rows, attended width], in either bank, and quantised. */
  readonly attended: number;
  readonly quantisedAttended: number;
  /** Of latent attention. [rows, query latent], quantised. */
  readonly quantisedLatent: number;
  /** [rows, heads of queries]: from their latent. */
  readonly queries: number;
  /** [rows, what each head's own matrix makes], heads beside each other; and a head's rows quantised, of each thread, `quantisedHeadBytes` apart. */
  readonly perHead: number;
  readonly quantisedHead: number;
  readonly quantisedHeadBytes: number;
  /** [rows, heads of latents], in either bank. */
  readonly mixed: number;
  /** What a thread makes keys and values of heads in, of each thread, `expandingBytes` apart. */
  readonly expanding: number;
  readonly expandingBytes: number;
  /** [rows, inner]: gate's part, then up's part. */
  readonly inner: number;
  readonly quantisedInner: number;
  /** [HEAD_ROWS, widthOf(vocabulary)] */
  readonly logits: number;
  /** [rows, rotary / 2] each; [rows] */
  readonly cos: number;
  readonly sin: number;
  readonly queryScale: number;
  /** Of each thread, `scratchBytes` apart. */
  readonly scratch: number;
  readonly scratchBytes: number;
  readonly bytes: number;
}

/** A matrix writes whole panels. */
export const widthOf = (columns: number): number => Math.ceil(columns / 16) * 16;

export interface ArenaSizes {
  readonly hidden: number;
  readonly projected: number;
  readonly query: number;
  readonly attended: number;
  readonly rotary: number;
  /** Of latent attention; 0 elsewhere. */
  readonly queryLatent: number;
  readonly queries: number;
  readonly perHead: number;
  readonly headInput: number;
  readonly mixed: number;
  readonly expandingBytes: number;
  /** Of one of gate and up, padded. */
  readonly inner: number;
  readonly experts: number;
  readonly vocabulary: number;
  readonly threads: number;
  readonly scratchBytes: number;
}

export function arenaOf(sizes: ArenaSizes): Arena {
  let at = ARENA_AT;
  const bytes = (count: number): number => {
    const first = at;
    at += Math.ceil(count / 64) * 64;
    return first;
  };
  const floats = (columns: number, rows = JOB_ROWS): number => bytes(4 * columns * rows);
  const quantised = (columns: number): number => bytes(quantisedStride(columns) * JOB_ROWS);
  const quantisedHeadBytes = quantisedStride(sizes.headInput) * JOB_ROWS;
  const arena = {
    input: floats(sizes.hidden), normed: floats(sizes.hidden), quantised: quantised(sizes.hidden), next: floats(sizes.hidden), output: floats(widthOf(sizes.hidden)),
    router: floats(widthOf(sizes.experts)), projected: floats(sizes.projected), query: floats(sizes.query),
    quantisedLatent: quantised(sizes.queryLatent), queries: floats(sizes.queries), perHead: floats(sizes.perHead), mixed: floats(sizes.mixed),
    quantisedHead: bytes(sizes.threads * quantisedHeadBytes), expanding: bytes(sizes.threads * sizes.expandingBytes), attended: floats(sizes.attended), quantisedAttended: quantised(sizes.attended), inner: floats(2 * sizes.inner), quantisedInner: quantised(sizes.inner),
    logits: floats(widthOf(sizes.vocabulary), HEAD_ROWS), cos: floats(sizes.rotary / 2), sin: floats(sizes.rotary / 2), queryScale: floats(1),
    scratch: bytes(sizes.threads * sizes.scratchBytes),
  };
  return { ...arena, quantisedHeadBytes, expandingBytes: sizes.expandingBytes, scratchBytes: sizes.scratchBytes, bytes: at - ARENA_AT };
}
