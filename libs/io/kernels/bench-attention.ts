import { compileKernels, instantiate } from './src/module.ts';
import { KEPT } from './src/kept.ts';

/**
 * Prints how long attention of one layer takes on one thread, in microseconds, over keys and values of each form: `node libs/io/kernels/bench-attention.ts`.
 * 16 query heads of 64 share 4 of keys and values; 16 sequences, or as many as there is room for, come in turn, so that theirs come from memory. The forms take turns
 * too; medians of ROUNDS.
 */
const [GROUPS, GROUP, SIZE] = [4, 4, 64];
const ROUNDS = 5;
const ROUND_MS = 150;
const MIB = 1 << 20;
const AT = { q: MIB, out: 2 * MIB, scratch: 4 * MIB, kept: 8 * MIB };
const KEPT_BYTES = 256 * MIB;
const PAGES = (AT.kept + KEPT_BYTES) / 65_536;
const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
const kernels = instantiate(compileKernels({ wide: true }), memory);
kernels.initConstants();
new Float32Array(memory.buffer, AT.q, MIB / 4).fill(0.5);
// About 0.2, as float32 and as bfloat16.
new Uint16Array(memory.buffer, AT.kept, KEPT_BYTES / 2).fill(0x3e4c);

const forms = Object.values(KEPT);
console.log(`| rows | positions | ${Object.keys(KEPT).join(' | ')} | |\n|---:|---:|${'---:|'.repeat(forms.length + 1)}`);
for (const rows of [1, 32]) {
  for (const positions of [512, 2048, 8192]) {
    const rounds = Array.from({ length: ROUNDS }, () => forms.map((form) => timeOf(form, rows, positions)));
    const [f32, bf16] = forms.map((_, nth) => median(rounds.map((times) => times[nth]!)));
    console.log(`| ${rows} | ${positions} | ${f32!.toFixed(0)} | ${bf16!.toFixed(0)} | ${median(rounds.map((times) => times[1]! / times[0]!)).toFixed(2)} |`);
  }
}

/** Microseconds of one layer. */
function timeOf({ bytes, attention }: (typeof forms)[number], rows: number, positions: number): number {
  const headBytes = bytes * positions * SIZE;
  const sequences = Math.min(16, Math.floor(KEPT_BYTES / (2 * GROUPS * headBytes)));
  const stride = GROUPS * GROUP * SIZE;
  const startedMs = performance.now();
  let calls = 0;
  for (; performance.now() - startedMs < ROUND_MS; calls++) {
    for (let group = 0; group < GROUPS; group++) {
      const [keys, ofGroup] = [AT.kept + 2 * headBytes * (GROUPS * (calls % sequences) + group), 4 * group * GROUP * SIZE];
      kernels[attention](
        AT.q + ofGroup, stride, AT.out + ofGroup, stride, rows, positions - rows, GROUP, SIZE, SIZE, keys, SIZE, keys + headBytes, SIZE, 0, 1 / Math.sqrt(SIZE), AT.scratch,
      );
    }
  }
  return (1000 * (performance.now() - startedMs)) / calls;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
