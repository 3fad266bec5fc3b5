import { type PieceKey } from '@essaim/graph';

/** A compiled piece on disk. */
export interface PieceFile {
  readonly key: PieceKey;
  /** One per slice of the piece. */
  readonly modelFiles: readonly string[];
  /** Of all slices. */
  readonly weightBytes: number;
}
