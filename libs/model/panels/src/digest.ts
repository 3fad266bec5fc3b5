import { createHash } from 'node:crypto';
import { layoutOf } from './layout.ts';
import { type PanelModel, type PanelPiece } from './piece.ts';
import { tensorsOf, viewsOf } from './tensors.ts';

/** Raised when the bytes that a weight becomes change without the layout changing. */
const RECIPE = 1;

/**
 * Content address of a piece, lower-case hex: the same weights in the same layout have the same, wherever the checkpoint lies. The
 * layout says what is kept in which form: what is never quantised is the same at every dtype.
 */
export async function panelDigest(model: PanelModel, piece: PanelPiece): Promise<string> {
  const hash = createHash('sha256').update(`panels, recipe ${RECIPE}\n${JSON.stringify(layoutOf(model, piece))}\n`);
  for (const tensor of tensorsOf(model, piece)) {
    for (const view of viewsOf(tensor)) hash.update(`${await view.fingerprint()}\n`);
  }
  return hash.digest('hex');
}
