/** As much of node-llama-cpp as is used here: the package is installed on demand, so its own types are not at hand. */
export interface LlamaLibrary {
  getLlama(options: {
    readonly gpu: false | 'cuda' | 'vulkan' | 'metal';
    readonly build: 'never';
    readonly skipDownload: true;
    readonly progressLogs: false;
    readonly logLevel: 'error';
    readonly maxThreads: number;
  }): Promise<Llama>;
}

export interface Llama {
  getGpuDeviceNames(): Promise<readonly string[]>;
  loadModel(options: { readonly modelPath: string; readonly gpuLayers: 0 | 'max'; readonly useMmap: boolean }): Promise<LlamaModel>;
}

export interface LlamaModel {
  createContext(options: {
    readonly sequences: number;
    readonly contextSize: number;
    readonly batchSize: number;
    readonly flashAttention: boolean;
    readonly threads: { readonly ideal: number; readonly min: number };
    readonly batching: { readonly itemPrioritizationStrategy: 'maximumParallelism' | 'firstInFirstOut' };
  }): Promise<LlamaContext>;
}

export interface LlamaContext {
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

export interface LlamaSequence {
  /** Yields each new token; without end where `yieldEogToken`. */
  evaluate(tokens: readonly number[], options: { readonly temperature: 0; readonly yieldEogToken: true }): AsyncGenerator<number, void>;
  controlledEvaluate(input: readonly (number | [token: number, options: { readonly generateNext: { readonly logits: true } }])[]): Promise<readonly ({ readonly next: { readonly logits?: ReadonlyMap<number, number> } } | undefined)[]>;
  dispose(): Promise<void>;
}
