/** What the processes of a cluster say to the one that started them, each kind at most once. */
export type ChildMessage =
  | ({ readonly kind: 'listening' } & Readonly<Record<string, unknown>>)
  /** The control plane: workers and gateways can come, before anything else of it listens. */
  | { readonly kind: 'control'; readonly controlPort: number }
  | { readonly kind: 'ready'; readonly epoch: number }
  /** It ends, and may be started again. */
  | { readonly kind: 'device-lost'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** Tells the process that started this one, and resolves when it is on its way; without one (under an orchestrator) nobody listens and nothing happens. */
export async function tellParent(message: ChildMessage): Promise<void> {
  if (process.connected) await new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
}
