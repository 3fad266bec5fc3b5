/** What llama.cpp was compiled for. On cards every layer lies on them. */
export type LlamaBuild = 'processor' | 'cuda' | 'vulkan' | 'metal';

/** How llama.cpp holds the sequences of one request. */
export interface ContextShape {
  readonly sequences: number;
  /** Prompt and answer together, of each sequence. */
  readonly tokensPerSequence: number;
  /** Tokens computed at once: node-llama-cpp has one number for llama.cpp's batch and micro-batch. */
  readonly batchTokens: number;
  readonly flashAttention: boolean;
  /** Which prompts share a batch that is too small for all: a little of each, or as much as possible of the first. */
  readonly order: 'maximumParallelism' | 'firstInFirstOut';
}

/** What a peer process is asked, one request at a time. */
export type LlamaRequest =
  | { readonly kind: 'describe' }
  | { readonly kind: 'generate'; readonly context: ContextShape; readonly prompts: readonly (readonly number[])[]; readonly newTokens: number }
  | { readonly kind: 'predict'; readonly context: ContextShape; readonly prompt: readonly number[] };

export type LlamaReply =
  /** The cards that llama.cpp sees and would use together; none of a build for the processor. */
  | { readonly kind: 'described'; readonly devices: readonly string[] }
  /** Milliseconds on the machine's clock, with fractions: when the prompts were handed over and when each token of each answer came. */
  | { readonly kind: 'generated'; readonly askedMs: number; readonly tokenMs: readonly (readonly number[])[] }
  /** Logits of the token after the prompt, indexed by token id. */
  | { readonly kind: 'predicted'; readonly logits: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };

/** How the model is loaded; the arguments of the peer process. */
export interface LlamaLoading {
  /** Absolute; of node-llama-cpp. */
  readonly library: string;
  readonly build: LlamaBuild;
  /** Absolute. */
  readonly gguf: string;
  readonly threads: number;
  /** Maps the file instead of reading it: llama.cpp then holds it beside the weights that it rearranged. */
  readonly mapped: boolean;
}
