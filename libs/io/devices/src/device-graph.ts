import { AppError } from '@essaim/core';
import type * as OnnxRuntime from 'onnxruntime-node';
import { type Provider } from './device.ts';

/** Which device of this process: `index` is CUDA's; WebGPU has the one adapter that the process is offered first. */
export interface ProcessDevice {
  readonly provider: Exclude<Provider, 'cpu'>;
  readonly index: number;
}

export interface GraphInput {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A graph with one output, `output`, on a device. A driver may end the process. */
export interface DeviceGraph {
  run(inputs: Readonly<Record<string, GraphInput>>): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Fails with `failed_precondition` where the device can't be opened, or lacks something that the graph needs. */
export async function openGraph({ provider, index }: ProcessDevice, model: Uint8Array): Promise<DeviceGraph> {
  const { InferenceSession, Tensor } = await onnxRuntime();
  const options: OnnxRuntime.InferenceSession.SessionOptions = {
    executionProviders: [provider === 'webgpu' ? { name: provider } : { name: provider, deviceId: index }],
    // Repetition is what is measured, not to be made less.
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    // What only the processor can run is to fail, not to pass there.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  };
  const session = await InferenceSession.create(model, options).catch(refuse);
  return {
    run: async (inputs) => {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)]));
      const { output } = await session.run(feeds).catch(refuse);
      return output!.data as Float32Array;
    },
    release: () => session.release(),
  };
}

/** Since 1.29 ONNX Runtime reports every session to Microsoft, unless this says no before the first one. */
async function onnxRuntime(): Promise<typeof OnnxRuntime> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

/** ONNX Runtime writes file names and conditions before what a person understands. */
function refuse(cause: unknown): never {
  const text = cause instanceof Error ? cause.message : String(cause);
  const said = / was false\. (?<said>[^\n]+)/.exec(text)?.groups?.['said'] ?? text.split('\n')[0]!;
  throw new AppError('failed_precondition', said.trim().replace(/\.$/, '').slice(0, 200), { cause });
}
