export interface ByteEdge {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

export type Position =
  | { readonly kind: 'end' }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'bytes'; readonly edges: readonly ByteEdge[] }
  | { readonly kind: 'token'; readonly id: number; readonly to: number }
  /** Goes through a rule, then on at `to`. */
  | { readonly kind: 'call'; readonly rule: number; readonly to: number };

/** A grammar over bytes and tokens: where one may be in it, and where each leads. Position 0 is the end of every rule. */
export interface Automaton {
  readonly positions: readonly Position[];
  readonly start: number;
  /** The first position of each rule. */
  readonly starts: readonly number[];
  /** Of each byte: bytes of one class lead to the same places everywhere. */
  readonly classOf: Uint8Array;
  /** A byte of each class. */
  readonly byteOf: readonly number[];
  /** Tokens that are no text and that the grammar names. */
  readonly tokenIds: readonly number[];
}

export const END = 0;
