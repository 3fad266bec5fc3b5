import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Provider } from './device.ts';

/** Of CUDA 12 and cuDNN 9, for which ONNX Runtime's package for Node is built; in the order in which a person would install them. */
const CUDA = ['libcuda.so.1', 'libcudart.so.12', 'libcublasLt.so.12', 'libcublas.so.12', 'libcurand.so.10', 'libcufft.so.11', 'libcudnn.so.9'];
const TENSORRT = [...CUDA, 'libnvinfer.so.10', 'libnvonnxparser.so.10'];

/** Shared libraries of others that a provider needs, by the names under which Linux's loader finds them. */
export const neededLibraries = (provider: 'cuda' | 'tensorrt'): readonly string[] => (provider === 'cuda' ? CUDA : TENSORRT);

/** Whether ONNX Runtime's own library for a provider lies beside it. WebGPU and the processor's are inside the package; the others come separately. */
export const hasProviderLibrary = (provider: Provider): boolean => existsSync(join(onnxRuntimeFolder(), `libonnxruntime_providers_${provider}.so`));

const onnxRuntimeFolder = (): string => join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', process.platform, process.arch);
