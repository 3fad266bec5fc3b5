const MIB = 2 ** 20;

/** What a worker's memory has to hold of the model that it serves, in bytes. Only the worker knows: it depends on its runtime, its threads and its flags. */
export interface MemoryNeeds {
  /** Weights beside the routed experts; 0 for a worker that does not lead. */
  readonly denseBytes: number;
  /** What keys and values may take. */
  readonly kvBytes: number;
  /** What the buffers that they lie in may take beyond that; in proportion to it. */
  readonly kvSlackBytes: number;
  /** What a step makes on its way. */
  readonly stepBytes: number;
  /** Of one routed expert, all being of one size; 0 for a model without. */
  readonly expertBytes: number;
}

/**
 * Of keys and values on a card, what their buffers may take beyond them: ONNX Runtime's have sizes from a list, each up to twice the one before, so that what
 * grows a token at a time fills between half and all of its buffer. And sequences that keep theirs together are padded by a third of what they are.
 */
export const cardKvSlackBytes = (kvBytes: number): number => Math.ceil((5 / 3) * kvBytes);

/** What of a worker's memory is free when it holds so many experts; negative where they don't fit. */
export const spareBytes = (memoryBytes: number, { denseBytes, kvBytes, kvSlackBytes, stepBytes, expertBytes }: MemoryNeeds, experts = 0): number =>
  memoryBytes - denseBytes - kvBytes - kvSlackBytes - stepBytes - experts * expertBytes;

/** The most for keys and values beside so many experts, in whole MiB: what was wanted where it fits, and never less than the least, which may not fit either. */
export function fittingKvBytes(memoryBytes: number, needs: MemoryNeeds, { experts, leastBytes }: { readonly experts: number; readonly leastBytes: number }): number {
  const { kvBytes, kvSlackBytes } = needs;
  const missing = -spareBytes(memoryBytes, needs, experts);
  if (missing <= 0) return kvBytes;
  const fitting = kvBytes - (missing * kvBytes) / (kvBytes + kvSlackBytes);
  return Math.min(kvBytes, MIB * Math.max(Math.ceil(leastBytes / MIB), Math.floor(fitting / MIB)));
}

/** How many experts a worker can hold beside all else. */
export const roomForExperts = (memoryBytes: number, needs: MemoryNeeds): number =>
  needs.expertBytes === 0 ? 0 : Math.max(0, Math.floor(spareBytes(memoryBytes, needs) / needs.expertBytes));
