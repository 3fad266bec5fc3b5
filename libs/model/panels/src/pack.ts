import { bytesOf, encodeStored, rowChunks, stack } from '@essaim/quantise';
import { interleave as plainly, type Interleave } from './interleave.ts';
import { layoutOf } from './layout.ts';
import { PANEL } from './panel.ts';
import { type PanelModel, type PanelPiece } from './piece.ts';
import { type PieceTensor, tensorsOf } from './tensors.ts';

/**
 * The bytes of a piece in the order of its layout, made while they are read: a few MiB of rows are held at once, never a whole tensor.
 * `interleave` is for who can do it faster.
 */
export async function* packPiece(model: PanelModel, piece: PanelPiece, interleave: Interleave = plainly): AsyncGenerator<Uint8Array> {
  const { bytes, tensors } = layoutOf(model, piece);
  let written = 0;
  for (const tensor of tensorsOf(model, piece)) {
    const { offset, bytes: tensorBytes } = tensors[tensor.name]!;
    if (offset > written) yield new Uint8Array(offset - written);
    yield* packTensor(tensor, interleave);
    written = offset + tensorBytes;
  }
  if (bytes > written) yield new Uint8Array(bytes - written);
}

async function* packTensor(tensor: PieceTensor, interleave: Interleave): AsyncGenerator<Uint8Array> {
  switch (tensor.kind) {
    case 'vector':
      return yield* map(rowChunks(stack(tensor.view)), bytesOf);
    case 'rows':
      return yield* map(rowChunks(stack(tensor.view)), (values) => encodeStored(values, tensor.view.dtype));
    case 'panels':
      for (const part of tensor.parts) yield* map(rowChunks(stack(part), PANEL), (values) => interleave(values, part.columns, tensor.dtype));
  }
}

async function* map(chunks: AsyncIterable<Float32Array>, encode: (values: Float32Array) => Uint8Array): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield encode(chunk);
}
