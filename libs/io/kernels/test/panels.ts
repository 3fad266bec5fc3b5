import { type CodedMatrix } from './reference.ts';

const PANEL = 16;
const BLOCK = 32;

/** The panels of a matrix as the kernels read them; columns that the last panel has too many are zeros. */
export function packPanels(matrix: CodedMatrix, bits: 4 | 8): Uint8Array {
  const { n, k, codes, scales } = matrix;
  const blocks = Math.ceil(k / BLOCK);
  const codeBytes = (PANEL * BLOCK * bits) / 8;
  const panels = Math.ceil(n / PANEL);
  const bytes = new DataView(new ArrayBuffer(panels * blocks * (codeBytes + 2 * PANEL)));
  for (let column = 0; column < panels * PANEL; column++) {
    for (let i = 0; i < blocks * BLOCK; i++) {
      const from = (Math.floor(column / PANEL) * blocks + Math.floor(i / BLOCK)) * (codeBytes + 2 * PANEL);
      const value = column < n && i < k ? codes[column * k + i]! : 0;
      const [at, code] = bits === 4 ? nibble(column % PANEL, i % BLOCK, value + 8) : byte(column % PANEL, i % BLOCK, value + 128);
      bytes.setUint8(from + at, bytes.getUint8(from + at) | code);
      if (column < n) bytes.setUint16(from + codeBytes + 2 * (column % PANEL), scales[column * blocks + Math.floor(i / BLOCK)]!, true);
    }
  }
  return new Uint8Array(bytes.buffer);
}

/** Where a code is in its block, and what it is there. */
function nibble(column: number, k: number, code: number): [at: number, code: number] {
  return [(Math.floor(k / 8) * PANEL + column) * 4 + (k % 4), k % 8 < 4 ? code : code << 4];
}

function byte(column: number, k: number, code: number): [at: number, code: number] {
  return [(Math.floor(k / 4) * PANEL + column) * 4 + (k % 4), code];
}

/** w [n, k] as panels of float32. */
export function packPanels32(w: Float32Array, k: number): Float32Array {
  const n = w.length / k;
  const packed = new Float32Array(Math.ceil(n / PANEL) * PANEL * k);
  w.forEach((value, i) => {
    const column = Math.floor(i / k);
    packed[(Math.floor(column / PANEL) * k + (i % k)) * PANEL + (column % PANEL)] = value;
  });
  return packed;
}
