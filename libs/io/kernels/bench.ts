import { compileKernels, instantiate } from './src/module.ts';

/**
 * Prints the speed of the linear kernels on one thread, in billions of multiplications with additions a second:
 * `node libs/io/kernels/bench.ts [MIB]`. Calls go over so many MiB of weights in turn, 4 unless given: more than a second-level cache
 * holds, and 1024 are more than any. The best of many short calls, so that what else runs matters little.
 */
const MIB = 1 << 20;
const WEIGHTS = Number(process.argv[2] ?? 4) * MIB;
const WIDTHS = [1024, 3584];
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 256];
const AT = { x: MIB, quantised: 8 * MIB, out: 16 * MIB, scratch: 32 * MIB, w: 48 * MIB };
const PAGES = Math.ceil((AT.w + WEIGHTS) / 65_536);
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
const floats = new Float32Array(memory.buffer);
/** About a millisecond. */
const OPERATIONS_A_CALL = 8e7;
const CALLS = 300;

floats.fill(0.25, AT.x / 4, AT.quantised / 4);
// As codes and bf16 scales these bytes are as good as any, and as float32 they are about 0.01.
new Uint32Array(memory.buffer).fill(0x3c3b3c3a, AT.w / 4, (AT.w + WEIGHTS) / 4);
for (const wide of [true, false]) {
  const kernels = instantiate(compileKernels({ wide }), memory);
  kernels.initConstants();
  const { linear4, linear8, linear32 } = kernels;
  console.log(`\n| ${wide ? '256 bits' : '128 bits'} | ${ROWS.map((rows) => `${rows} rows`).join(' | ')} |\n|${'---|'.repeat(ROWS.length + 1)}`);
  for (const k of WIDTHS) {
    const forms = {
      int4: { panelBytes: (k / 32) * 288, run: (w: number, rows: number, panels: number) => linear4(w, AT.quantised, rows, k, 0, panels, AT.out, 16 * panels, AT.scratch) },
      int8: { panelBytes: (k / 32) * 544, run: (w: number, rows: number, panels: number) => linear8(w, AT.quantised, rows, k, 0, panels, AT.out, 16 * panels, AT.scratch) },
      float32: { panelBytes: 64 * k, run: (w: number, rows: number, panels: number) => linear32(w, AT.x, rows, k, k, 0, panels, AT.out, 16 * panels, AT.scratch) },
    };
    for (const [name, form] of Object.entries(forms)) {
      const speeds = ROWS.map((rows) => {
        kernels.quantise(AT.x, rows, k, k, AT.quantised);
        return fastest(form, rows, k).toFixed(name === 'float32' ? 1 : 0);
      });
      console.log(`| ${name}, width ${k} | ${speeds.join(' | ')} |`);
    }
  }
}

interface Form {
  readonly panelBytes: number;
  run(w: number, rows: number, panels: number): void;
}

/** Operations per nanosecond of the fastest call. */
function fastest({ panelBytes, run }: Form, rows: number, k: number): number {
  const operations = 16 * rows * k;
  const most = Math.floor(WEIGHTS / panelBytes);
  const panels = Math.min(most, Math.max(1, Math.round(OPERATIONS_A_CALL / operations)));
  let first = 0;
  let best = Infinity;
  for (let call = 0; call < CALLS; call++) {
    if (first + panels > most) first = 0;
    const started = performance.now();
    run(AT.w + first * panelBytes, rows, panels);
    best = Math.min(best, performance.now() - started);
    first += panels;
  }
  return (panels * operations) / best / 1e6;
}
