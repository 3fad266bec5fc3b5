/** Behind which ONNX Runtime computes. `cpu` is its own processor path, the reference of the tests: what serves on a processor is `@essaim/kernels`. */
export type Provider = 'webgpu' | 'cuda' | 'tensorrt' | 'cpu';

export interface Device {
  readonly provider: Provider;
  /** Which of the provider's devices: CUDA's number; WebGPU takes the adapter that the process sees first. */
  readonly index: number;
}

/** As messages call it: 'webgpu', 'cuda:1'. */
export const deviceName = ({ provider, index }: Device): string => (index === 0 ? provider : `${provider}:${index}`);
