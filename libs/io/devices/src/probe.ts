import koffi from 'koffi';
import { AppError } from '@essaim/core';
import { type ProcessDevice } from './device-graph.ts';
import { type DeviceRates, measureRates, type RateSizes } from './device-rates.ts';
import { selfTest, type SelfTest } from './self-test.ts';
import { type Adapter, listAdapters } from './vulkan.ts';
import { inWebgpuOrder, isSameAdapter } from './webgpu-order.ts';

/** What is asked of a process that runs drivers' code so that another one need not. */
export type ProbeRequest =
  | { readonly kind: 'adapters' }
  /** The first of these shared libraries that can't be loaded, or null. */
  | { readonly kind: 'missing-library'; readonly names: readonly string[] }
  /** `adapter`: what the process must be offered first, where that is for it to see. */
  | { readonly kind: 'self-test'; readonly device: ProcessDevice; readonly adapter: Adapter | null }
  | { readonly kind: 'rates'; readonly device: ProcessDevice; readonly sizes: RateSizes; readonly f16: boolean };

export interface ProbeAnswers {
  readonly 'adapters': readonly Adapter[];
  readonly 'missing-library': string | null;
  readonly 'self-test': SelfTest;
  readonly 'rates': DeviceRates;
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
  if (request.kind === 'rates') return measureRates(request.device, request);
  if (request.adapter !== null) assertOffered(request.adapter);
  return selfTest(request.device);
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
