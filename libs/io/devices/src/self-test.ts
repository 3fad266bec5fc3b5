import { AppError } from '@essaim/core';
import { selfTestGraph } from '@essaim/graph';
import type * as OnnxRuntime from 'onnxruntime-node';
import { type Provider } from './device.ts';

/** Rows, columns and depth of a product that more than one workgroup computes. */
const SIZE = 48;
/** Float32 with other orders of summation; a device that rounds to float16 on the way is farther off. */
const TOLERANCE = 1e-4;

/**
 * Runs a small graph with a known answer on a device, in this process: a driver may end it. Fails with `failed_precondition` where the device can't be
 * opened or answers wrong. `index` is CUDA's; WebGPU has the one adapter that the process is offered first.
 */
export async function selfTest(provider: Exclude<Provider, 'cpu'>, index: number): Promise<void> {
  const { InferenceSession, Tensor } = await onnxRuntime();
  const [left, right] = [sample(SIZE * SIZE, 7), sample(SIZE * SIZE, 11)];
  const device = provider === 'webgpu' ? { name: provider } : { name: provider, deviceId: index };
  const options: OnnxRuntime.InferenceSession.SessionOptions = { executionProviders: [device], logSeverityLevel: 4 };
  const session = await InferenceSession.create(selfTestGraph(SIZE), options).catch((cause: unknown) => {
    throw new AppError('failed_precondition', firstLine(cause), { cause });
  });
  const shape = [SIZE, SIZE];
  const { output } = await session.run({ left: new Tensor('float32', left, shape), right: new Tensor('float32', right, shape) });
  const farthest = farthestFrom(softmaxOfProduct(left, right), output!.data as Float32Array);
  if (!(farthest <= TOLERANCE)) throw new AppError('failed_precondition', `a small graph came out wrong by ${farthest.toPrecision(2)}`);
}

/** Since 1.29 ONNX Runtime reports every session to Microsoft, unless this says no before the first one. */
async function onnxRuntime(): Promise<typeof OnnxRuntime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

/** Numbers from -1 to 1, the same each time. */
const sample = (length: number, stride: number): Float32Array => Float32Array.from({ length }, (_, i) => ((i * stride) % 41) / 20 - 1);

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

/** ONNX Runtime writes file names and conditions before what a person understands. */
function firstLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return (/ was false\. (?<said>[^\n]+)/.exec(text)?.groups?.['said'] ?? text.split('\n')[0]!).trim().replace(/\.$/, '').slice(0, 200);
}
