import koffi from 'koffi';
import { AppError } from '@essaim/core';
import { type Provider } from './device.ts';
import { selfTest } from './self-test.ts';
import { type Adapter, listAdapters } from './vulkan.ts';
import { inWebgpuOrder, isSameAdapter } from './webgpu-order.ts';

/** What is asked of a process that runs drivers' code so that another one need not. */
export type ProbeRequest =
  | { readonly kind: 'adapters' }
  /** The first of these shared libraries that can't be loaded, or null. */
  | { readonly kind: 'missing-library'; readonly names: readonly string[] }
  /** `adapter`: what the process must be offered first, where that is for it to see. */
  | { readonly kind: 'self-test'; readonly provider: Exclude<Provider, 'cpu'>; readonly index: number; readonly adapter: Adapter | null };

export interface ProbeAnswers {
  readonly 'adapters': readonly Adapter[];
  readonly 'missing-library': string | null;
  readonly 'self-test': null;
}

export type ProbeReply = { readonly kind: 'answer'; readonly answer: ProbeAnswers[ProbeRequest['kind']] } | { readonly kind: 'refusal'; readonly reason: string };

/** The life of such a process: the entry file of one calls this and nothing else. It answers once and ends, and ends with its parent. */
export async function runProbe(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const reply = await perform(JSON.parse(process.argv[2] ?? '{}') as ProbeRequest).then(
    (answer): ProbeReply => ({ kind: 'answer', answer }),
    (thrown: unknown): ProbeReply => ({ kind: 'refusal', reason: thrown instanceof Error ? thrown.message : String(thrown) }),
  );
  // Drivers leave threads behind, and some abort when they are torn down: whatever happens from now on is no answer.
  process.send?.(reply, undefined, undefined, () => process.exit());
}

async function perform(request: ProbeRequest): Promise<ProbeAnswers[ProbeRequest['kind']]> {
  if (request.kind === 'adapters') return listAdapters();
  if (request.kind === 'missing-library') return request.names.find((name) => !isLoadable(name)) ?? null;
  if (request.adapter !== null) assertOffered(request.adapter);
  await selfTest(request.provider, request.index);
  return null;
}

function isLoadable(name: string): boolean {
  try {
    koffi.load(name);
    return true;
  } catch {
    return false;
  }
}

function assertOffered(adapter: Adapter): void {
  const [first] = inWebgpuOrder(listAdapters());
  if (first === undefined || !isSameAdapter(first, adapter)) {
    throw new AppError('failed_precondition', `WebGPU takes ${first?.name ?? 'no adapter'} instead: install Mesa's Vulkan layer for choosing a device, or show the process this card alone`);
  }
}
