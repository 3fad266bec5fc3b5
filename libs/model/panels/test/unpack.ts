import { type PanelTensor } from '../src/index.ts';

/** The value at (row, k) of a matrix in panels, word by word as the layout is described: not the writer's way round. */
export function unpack(bytes: Uint8Array, { form, columns, offset }: PanelTensor, { firstPanel }: { readonly firstPanel: number }): (row: number, k: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const blocks = Math.ceil(columns / 32);
  return (row, k) => {
    const [panel, lane] = [firstPanel + Math.floor(row / 16), row % 16];
    if (form === 'float32') return view.getFloat32(panel * columns * 64 + k * 64 + lane * 4, true);
    const codeBytes = form === 'int8' ? 512 : 256;
    const block = (panel * blocks + Math.floor(k / 32)) * (codeBytes + 32);
    const scale = bf16(view.getUint16(block + codeBytes + lane * 2, true));
    const [within, perWord] = [k % 32, form === 'int8' ? 4 : 8];
    const byte = view.getUint8(block + Math.floor(within / perWord) * 64 + lane * 4 + (within % 4));
    if (form === 'int8') return (byte - 128) * scale;
    return ((within % 8 < 4 ? byte & 15 : byte >> 4) - 8) * scale;
  };
}

function bf16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}
