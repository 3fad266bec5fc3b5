import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { assert } from '@essaim/core';
import { type Llama, type LlamaContext, type LlamaLibrary, type LlamaModel, type LlamaSequence } from './library.ts';
import { type ContextShape, type LlamaBuild, type LlamaLoading, type LlamaReply, type LlamaRequest } from './protocol.ts';

/** What the package does not bring along; all that it says is that it found no binary. */
const NEEDS: Readonly<Record<LlamaBuild, string>> = {
  processor: 'glibc',
  cuda: 'NVIDIA\'s driver and CUDA\'s runtime with cuBLAS, 12 or 13, where libraries are looked for',
  vulkan: 'Vulkan\'s loader and a driver that stores 16 bits',
  metal: 'a Mac with Apple\'s processor',
};

/** The machine's clock with fractions of a millisecond. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** A loaded model with one context at a time, as large as the present request needs it. */
export class LlamaHost {
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #threads: number;
  #current: { readonly shape: string; readonly context: LlamaContext } | null = null;

  private constructor(llama: Llama, model: LlamaModel, threads: number) {
    this.#llama = llama;
    this.#model = model;
    this.#threads = threads;
  }

  static async load({ library, build, gguf, threads, mapped }: LlamaLoading): Promise<LlamaHost> {
    const { getLlama } = (await import(pathToFileURL(library).href)) as LlamaLibrary;
    const isOnCard = build !== 'processor';
    const llama = await getLlama({ gpu: isOnCard && build, build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error', maxThreads: threads }).catch((cause: unknown) => {
      throw new Error(`its build does not load here, which needs ${NEEDS[build]}`, { cause });
    });
    return new LlamaHost(llama, await llama.loadModel({ modelPath: gguf, gpuLayers: isOnCard ? 'max' : 0, useMmap: mapped }), threads);
  }

  async answer(request: LlamaRequest): Promise<LlamaReply> {
    if (request.kind === 'describe') return { kind: 'described', devices: await this.#llama.getGpuDeviceNames() };
    const context = await this.#contextOf(request.context);
    return request.kind === 'generate' ? generate(context, request) : predict(context, request.prompt);
  }

  async #contextOf(shape: ContextShape): Promise<LlamaContext> {
    const key = JSON.stringify(shape);
    if (this.#current?.shape === key) return this.#current.context;
    await this.#current?.context.dispose();
    this.#current = null;
    const { sequences, tokensPerSequence, batchTokens, flashAttention, order } = shape;
    const batching = { itemPrioritizationStrategy: order };
    const threads = { ideal: this.#threads, min: this.#threads };
    const context = await this.#model.createContext({ sequences, contextSize: tokensPerSequence, batchSize: batchTokens, flashAttention, threads, batching });
    this.#current = { shape: key, context };
    return context;
  }
}

/** All prompts at once, each in a sequence of its own: llama.cpp computes them in common batches. */
async function generate(context: LlamaContext, { prompts, newTokens }: Extract<LlamaRequest, { kind: 'generate' }>): Promise<LlamaReply> {
  const sequences = prompts.map(() => context.getSequence());
  try {
    const askedMs = nowMs();
    const tokenMs = await Promise.all(sequences.map((sequence, index) => timeTokens(sequence, prompts[index]!, newTokens)));
    return { kind: 'generated', askedMs, tokenMs };
  } finally {
    for (const sequence of sequences) await sequence.dispose();
  }
}

async function timeTokens(sequence: LlamaSequence, prompt: readonly number[], newTokens: number): Promise<number[]> {
  const tokenMs: number[] = [];
  for await (const _ of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    tokenMs.push(nowMs());
    if (tokenMs.length === newTokens) return tokenMs;
  }
  assert(false, `an answer of ${newTokens} tokens has only ${tokenMs.length}`);
}

async function predict(context: LlamaContext, prompt: readonly number[]): Promise<LlamaReply> {
  const sequence = context.getSequence();
  try {
    const last = prompt.at(-1);
    assert(last !== undefined, 'a prompt has tokens');
    const results = await sequence.controlledEvaluate([...prompt.slice(0, -1), [last, { generateNext: { logits: true } }]]);
    const logits = results.at(-1)?.next.logits;
    assert(logits, 'the last position has the logits that were asked for');
    return { kind: 'predicted', logits: Array.from({ length: logits.size }, (_, id) => logits.get(id)!) };
  } finally {
    await sequence.dispose();
  }
}
