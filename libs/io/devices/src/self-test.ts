import { AppError } from '@essaim/core';
import { selfTestGraph } from '@essaim/graph';
import { openGraph, type ProcessDevice } from './device-graph.ts';
import { measureUpload } from './device-rates.ts';

/** What was learnt of a device that passed. */
export interface SelfTest {
  /** From the host's memory to the device's. */
  readonly uploadBytesPerSecond: number;
}

/** Rows, columns and depth of a product that more than one workgroup computes. */
const SIZE = 48;
/** Products are exact even where a device multiplies with the ten bits of TF32: what remains is how it computes an exponential. */
const TOLERANCE = 1e-4;

/** Runs a small graph with a known answer on a device. Fails with `failed_precondition` where the device can't be opened or answers wrong. */
export async function selfTest(device: ProcessDevice): Promise<SelfTest> {
  const [left, right] = [sample(7), sample(11)];
  const dims = [SIZE, SIZE];
  const graph = await openGraph(device, selfTestGraph(SIZE));
  const answer = await graph.run({ left: { data: left, dims }, right: { data: right, dims } });
  const farthest = farthestFrom(softmaxOfProduct(left, right), answer);
  if (!(farthest <= TOLERANCE)) throw new AppError('failed_precondition', `a small graph came out wrong by ${farthest.toPrecision(2)}`);
  return { uploadBytesPerSecond: await measureUpload(device) };
}

/** Sixteenths from -1.25 to 1.25, the same each time. */
const sample = (stride: number): Float32Array => Float32Array.from({ length: SIZE * SIZE }, (_, i) => (((i * stride) % 41) - 20) / 16);

/** By rows, in float64. */
function softmaxOfProduct(left: Float32Array, right: Float32Array): Float64Array {
  const result = new Float64Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row++) {
    const powers = Array.from({ length: SIZE }, (_, column) => {
      let sum = 0;
      for (let k = 0; k < SIZE; k++) sum += left[row * SIZE + k]! * right[k * SIZE + column]!;
      return Math.exp(sum);
    });
    const total = powers.reduce((sum, power) => sum + power, 0);
    result.set(powers.map((power) => power / total), row * SIZE);
  }
  return result;
}

/** NaN where any number is none. */
const farthestFrom = (expected: Float64Array, actual: Float32Array): number => expected.reduce((farthest, value, i) => Math.max(farthest, Math.abs(value - actual[i]!)), 0);
