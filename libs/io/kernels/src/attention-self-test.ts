import { KEPT } from './kept.ts';
import { type Kernels } from './kernels.ts';

const [ROWS, FIRST, HEADS, KEY, VALUE] = [5, 67, 5, 8, 20];
const POSITIONS = FIRST + ROWS;
/** Positions that the kernel meets together. */
const CHUNK = 64;
const AT = { q: 16_384, keys: 32_768, keptKeys: 36_864, values: 49_152, keptValues: 57_344, out: 65_536, outInTurns: 69_632, widened: 73_728, scratch: 81_920 };

/**
 * Whether attention gives known answers, over keys and values of each form: all of them are numbers that bfloat16 has. A query fits every KEYth key; scores differ by 128 or not at all, so that weights are exactly 1 or 0 and a result is
 * the mean of some values. Keys of the second chunk fit twice as well, so that who sees one of them forgets the first.
 */
export function attendsRight(kernels: Kernels, memory: WebAssembly.Memory): boolean {
  const floats = (at: number, count: number): Float32Array => new Float32Array(memory.buffer, at, count);
  const values = floats(AT.values, POSITIONS * VALUE);
  for (let i = 0; i < values.length; i++) values[i] = ((i * 29) % 201) - 100;
  const [q, keys] = [floats(AT.q, ROWS * HEADS * KEY).fill(0), floats(AT.keys, POSITIONS * KEY).fill(0)];
  for (let query = 0; query < ROWS * HEADS; query++) q[query * KEY + (query % KEY)] = 1;
  for (let position = 0; position < POSITIONS; position++) keys[position * KEY + (position % KEY)] = position < CHUNK ? 128 : 256;
  return Object.values(KEPT).every(({ copyRows, widen, attention }) => {
    kernels[copyRows](AT.keys, KEY, AT.keptKeys, KEY, POSITIONS, KEY);
    kernels[copyRows](AT.values, VALUE, AT.keptValues, VALUE, POSITIONS, VALUE);
    kernels[attention](AT.q, HEADS * KEY, AT.out, HEADS * VALUE, ROWS, FIRST, HEADS, KEY, VALUE, AT.keptKeys, KEY, AT.keptValues, VALUE, 0, 1, AT.scratch);
    kernels[widen](AT.keptKeys, KEY, AT.widened, KEY, POSITIONS, KEY);
    inTurns(kernels);
    return [AT.out, AT.outInTurns].every((at) => floats(at, ROWS * HEADS * VALUE).every((result, i) => result === expected(values, i)));
  });
}

/** The heads by turns, chunk by chunk. */
function inTurns(kernels: Kernels): void {
  const heads = Array.from({ length: HEADS }, (_, head) => head);
  for (const head of heads) kernels.beginHead(head, AT.q + 4 * head * KEY, HEADS * KEY, AT.outInTurns + 4 * head * VALUE, HEADS * VALUE, ROWS, KEY, VALUE, AT.scratch);
  for (const chunk of [0, CHUNK]) {
    for (const head of heads) kernels.meetChunk(head, chunk, ROWS, FIRST, KEY, VALUE, AT.widened + 4 * chunk * KEY, KEY, AT.values + 4 * chunk * VALUE, VALUE, 1, AT.scratch);
  }
  for (const head of heads) kernels.finishHead(head, ROWS, KEY, VALUE, AT.scratch);
}

function expected(values: Float32Array, i: number): number {
  const [query, d] = [Math.floor(i / VALUE), i % VALUE];
  const seen = FIRST + Math.floor(query / HEADS) + 1;
  const fitting = Array.from({ length: seen }, (_, position) => position).filter((position) => position % KEY === query % KEY);
  const late = fitting.filter((position) => position >= CHUNK);
  const best = late.length > 0 ? late : fitting;
  return Math.fround(best.reduce((sum, position) => sum + values[position * VALUE + d]!, 0) / best.length);
}
