import { type PieceKey } from '@essaim/graph';

/** A compiled piece on disk. */
export interface PieceFile {
  readonly key: PieceKey;
  /** One per graph of the piece. */
  readonly modelFiles: readonly string[];
  /** Of all graphs. */
  readonly weightBytes: number;
}
