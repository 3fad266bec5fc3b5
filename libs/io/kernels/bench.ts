import { compileKernels, instantiate } from './src/module.ts';

/**
 * Prints the speed of the linear kernels on one thread, in billions of multiplications and additions a second, weights beyond the
 * second-level cache: `node libs/io/kernels/bench.ts`. The best of many short calls, so that what else runs matters little.
 */
const SHAPES = [{ k: 1024, n: 7168 }, { k: 3584, n: 1024 }];
const ROWS = [1, 2, 3, 4, 5, 6, 7, 8, 16, 64, 256];
const MIB = 1 << 20;
const AT = { w: MIB, x: 48 * MIB, quantised: 56 * MIB, out: 64 * MIB, scratch: 80 * MIB };
const memory = new WebAssembly.Memory({ initial: 1600, maximum: 1600, shared: true });
const floats = new Float32Array(memory.buffer);
/** Each call takes about a millisecond, and the panels of a matrix come in turn. */
const OPERATIONS_A_CALL = 8e7;
const CALLS = 300;

for (const wide of [true, false]) {
  const kernels = instantiate(compileKernels({ wide }), memory);
  kernels.initConstants();
  console.log(`\n| ${wide ? '256 bits' : '128 bits'} | ${ROWS.map((rows) => `${rows} rows`).join(' | ')} |\n|${'---|'.repeat(ROWS.length + 1)}`);
  for (const { k, n } of SHAPES) {
    floats.fill(0.25, AT.x / 4, AT.quantised / 4);
    // As codes and bf16 scales these bytes are as good as any, and as float32 they are about 0.01.
    new Uint32Array(memory.buffer).fill(0x3c3b3c3a, AT.w / 4, AT.x / 4);
    const linear = {
      int4: (rows: number, first: number, end: number) => kernels.linear4(AT.w, AT.quantised, rows, k, first, end, AT.out, n, AT.scratch),
      int8: (rows: number, first: number, end: number) => kernels.linear8(AT.w, AT.quantised, rows, k, first, end, AT.out, n, AT.scratch),
      float32: (rows: number, first: number, end: number) => kernels.linear32(AT.w, AT.x, rows, k, k, first, end, AT.out, n, AT.scratch),
    };
    for (const [form, run] of Object.entries(linear)) {
      const speeds = ROWS.map((rows) => {
        kernels.quantise(AT.x, rows, k, k, AT.quantised);
        return fastest(rows * k * 16, n / 16, (first, end) => run(rows, first, end)).toFixed(form === 'float32' ? 1 : 0);
      });
      console.log(`| ${form}, ${k} to ${n} | ${speeds.join(' | ')} |`);
    }
  }
}

/** Operations per nanosecond of the fastest call. */
function fastest(operationsPerPanel: number, panels: number, run: (first: number, end: number) => void): number {
  const part = Math.min(panels, Math.max(1, Math.round(OPERATIONS_A_CALL / operationsPerPanel)));
  let first = 0;
  let best = Infinity;
  for (let call = 0; call < CALLS; call++) {
    if (first + part > panels) first = 0;
    const started = performance.now();
    run(first, first + part);
    best = Math.min(best, performance.now() - started);
    first += part;
  }
  return (part * operationsPerPanel) / best / 1e6;
}
