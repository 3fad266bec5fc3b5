import { bytesOf, quantiseRows } from '@essaim/quantise';
import { BLOCK, blockBytes, blocksOf, PANEL, panelBytes, type PanelForm, panelsOf } from './panel.ts';

/** Rows [values.length / columns, columns] as panels; rows that the last one lacks are zeros. Whoever implements it gives the bytes that `interleave` gives. */
export type Interleave = (values: Float32Array, columns: number, form: PanelForm) => Uint8Array;

export const interleave: Interleave = (values, columns, form) => form === 'float32' ? interleaveFloats(values, columns) : interleaveCodes(values, columns, form);

function interleaveFloats(values: Float32Array, columns: number): Uint8Array {
  const rows = values.length / columns;
  const panels = new Float32Array(panelsOf(rows) * columns * PANEL);
  for (let row = 0; row < rows; row++) {
    let to = Math.floor(row / PANEL) * columns * PANEL + (row % PANEL);
    for (let from = row * columns; from < (row + 1) * columns; from++, to += PANEL) panels[to] = values[from]!;
  }
  return bytesOf(panels);
}

/** Words of zeros at both forms. */
const ZEROS = { int8: 0x80808080, int4: 0x88888888 } as const;
/** Of 32 bits: 4 k at int8, 8 at int4. */
const WORDS_PER_BLOCK = { int8: BLOCK / 4, int4: BLOCK / 8 } as const;

function interleaveCodes(values: Float32Array, columns: number, form: 'int8' | 'int4'): Uint8Array {
  const { codes, scales } = quantiseRows(values, { columns, dtype: form, scales: 'bf16' });
  const [blocks, words] = [blocksOf(columns), WORDS_PER_BLOCK[form]];
  const from = new Uint32Array(codes.buffer, codes.byteOffset, codes.length / 4);
  const scaleBits = new Uint32Array(scales.buffer, scales.byteOffset, scales.length);
  const rows = scales.length / blocks;
  const panels = new Uint8Array(panelsOf(rows) * panelBytes(form, columns));
  const [to, toScales] = [new Uint32Array(panels.buffer), new Uint16Array(panels.buffer)];
  const [blockWords, blockHalves, firstScale] = [blockBytes(form) / 4, blockBytes(form) / 2, words * PANEL * 2];
  for (let row = 0; row < panelsOf(rows) * PANEL; row++) {
    const column = row % PANEL;
    for (let block = 0; block < blocks; block++) {
      const panelBlock = Math.floor(row / PANEL) * blocks + block;
      const [first, target] = [(row * blocks + block) * words, panelBlock * blockWords + column];
      if (row >= rows) for (let word = 0; word < words; word++) to[target + word * PANEL] = ZEROS[form];
      else {
        for (let word = 0; word < words; word++) to[target + word * PANEL] = form === 'int8' ? from[first + word]! : apart(from[first + word]!);
        toScales[panelBlock * blockHalves + firstScale + column] = scaleBits[row * blocks + block]! >>> 16;
      }
    }
  }
  return panels;
}

/** Codes 0 to 7 of 4 bits, in pairs, as codes 0 to 3 in the low halves of four bytes and codes 4 to 7 in their high halves. */
const apart = (word: number): number => spread(word & 0xffff) | (spread(word >>> 16) << 4);

/** Four codes of 4 bits as bytes. */
function spread(codes: number): number {
  const pairs = (codes | (codes << 8)) & 0x00ff00ff;
  return (pairs | (pairs << 4)) & 0x0f0f0f0f;
}
