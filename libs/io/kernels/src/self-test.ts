import { attendsRight } from './attention-self-test.ts';
import { computesElementsRight } from './elementwise-self-test.ts';
import { type Kernels } from './kernels.ts';

/** Numbers of rows that take different code, and the most of them. */
const ROW_COUNTS = [1, 2, 3, 4];
const ROWS = 4;
const K = 64;
/** Panels are taken by four, and then one by one. */
const PANELS = 5;
const PANEL = 16;
const COLUMNS = PANELS * PANEL;
const AT = { w: 1024, x: 32_768, quantised: 40_960, out: 49_152, scratch: 65_536 };
const PAGES = 4;

/** A linear kernel, and what its weights in memory are. */
interface Linear {
  /** Bytes of one panel of K numbers. */
  readonly panelBytes: number;
  run(rows: number): void;
  /** The weight of one of the panel's columns at k. */
  weight(panel: DataView, column: number, k: number): number;
}

/**
 * Whether the compiled kernels compute what they should. All numbers are small integers and all scales powers of two, so that nearly every
 * result is exact in float32 and a plain loop can tell it.
 */
export function givesKnownAnswers(instantiate: (memory: WebAssembly.Memory) => Kernels): boolean {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  const kernels = instantiate(memory);
  kernels.initConstants();
  const x = new Float32Array(memory.buffer, AT.x, ROWS * K);
  // The largest magnitude of each block is 127, so its scale is 1 and its codes are its numbers.
  for (let i = 0; i < x.length; i++) x[i] = i % 32 === 0 ? 127 : ((i * 37) % 255) - 127;
  kernels.quantise(AT.x, ROWS, K, K, AT.quantised);
  return linears(kernels).every((linear) => isRight(linear, x, memory)) && attendsRight(kernels, memory) && computesElementsRight(kernels, memory);
}

function linears(kernels: Kernels): readonly Linear[] {
  return [
    {
      panelBytes: 2 * 288,
      run: (rows) => kernels.linear4(AT.w, AT.quantised, rows, K, 0, PANELS, AT.out, COLUMNS, AT.scratch),
      weight: (panel, column, k) => {
        const at = 288 * (k >> 5) + 64 * ((k >> 3) & 3) + 4 * column + (k & 3);
        return ((panel.getUint8(at) >> (k & 4)) & 15) - 8;
      },
    },
    {
      panelBytes: 2 * 544,
      run: (rows) => kernels.linear8(AT.w, AT.quantised, rows, K, 0, PANELS, AT.out, COLUMNS, AT.scratch),
      weight: (panel, column, k) => panel.getUint8(544 * (k >> 5) + 64 * ((k >> 2) & 7) + 4 * column + (k & 3)) - 128,
    },
    {
      panelBytes: 4 * PANEL * K,
      run: (rows) => kernels.linear32(AT.w, AT.x, rows, K, K, 0, PANELS, AT.out, COLUMNS, AT.scratch),
      weight: (panel, column, k) => panel.getFloat32(4 * (PANEL * k + column), true),
    },
  ];
}

function isRight({ panelBytes, run, weight }: Linear, x: Float32Array, memory: WebAssembly.Memory): boolean {
  const quantised = panelBytes !== 4 * PANEL * K;
  const panels = Array.from({ length: PANELS }, (_, panel) => new DataView(memory.buffer, AT.w + panel * panelBytes, panelBytes));
  for (const [index, panel] of panels.entries()) {
    for (let i = 0; i < panelBytes; i++) panel.setUint8(i, ((i + 100 * index) * 73) >> 3);
    if (quantised) for (let block = 1; block <= 2; block++) writeScales(panel, (block * panelBytes) / 2 - 2 * PANEL);
    else for (let i = 0; i < PANEL * K; i++) panel.setFloat32(4 * i, (((i + index) * 29) % 201) - 100, true);
  }
  return ROW_COUNTS.every((rows) => {
    run(rows);
    return new Float32Array(memory.buffer, AT.out, rows * COLUMNS).every((value, i) => {
      const column = i % PANEL, panel = panels[Math.floor((i % COLUMNS) / PANEL)]!, row = x.subarray(Math.floor(i / COLUMNS) * K);
      let sum = 0;
      for (let k = 0; k < K; k++) sum += row[k]! * weight(panel, column, k) * (quantised ? scaleOf(column) : 1);
      return value === sum;
    });
  });
}

/** A power of two that differs from column to column. */
const scaleOf = (column: number): number => 2 ** -(column % 3);

/** As bf16: the high half of the float32. */
function writeScales(panel: DataView, at: number): void {
  for (let column = 0; column < PANEL; column++) panel.setUint16(at + 2 * column, (127 - (column % 3)) << 7, true);
}
