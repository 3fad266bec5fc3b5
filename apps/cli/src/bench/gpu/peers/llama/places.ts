import { type askProbe, type NvidiaGpu, type TestedDevice } from '@essaim/devices';
import { type LlamaBuild } from '../../../peer/llama/protocol.ts';

/** A build of llama.cpp and the variables under which it sees the measured card and no other. */
export interface LlamaPlace {
  readonly build: Exclude<LlamaBuild, 'processor'>;
  readonly environment: Readonly<Record<string, string>>;
}

type Adapter = Awaited<ReturnType<typeof askProbe<{ readonly kind: 'adapters' }>>>[number];

export interface Host {
  readonly platform: NodeJS.Platform;
  readonly gpus: readonly NvidiaGpu[];
  /** Variables under which CUDA's libraries are found. */
  readonly cuda: Readonly<Record<string, string>>;
  /** In the order of Vulkan's loader, under the device's own variables; none where there is no loader. */
  readonly adapters: readonly Adapter[];
}

/** Best first. Where several cards can't be told apart there is none. */
export function llamaPlaces({ adapter: name, pciBusId, environment }: TestedDevice, { platform, gpus, cuda: libraries, adapters }: Host): LlamaPlace[] {
  // Metal has one card, and on Windows llama.cpp's own list is looked at once it runs.
  if (platform === 'darwin') return [{ build: 'metal', environment: {} }];
  const gpu = gpus.find((each) => pciBusId !== null && each.pciBusId === pciBusId);
  const cuda: LlamaPlace[] = gpu === undefined ? [] : [{ build: 'cuda', environment: { ...libraries, CUDA_VISIBLE_DEVICES: gpu.uuid } }];
  if (platform === 'win32') return [...cuda, { build: 'vulkan', environment: {} }];
  const alike = adapters.flatMap((each, index) => ((pciBusId === null ? each.name === name : each.pciBusId === pciBusId) ? [index] : []));
  // Named, even an adapter that computes on the processor is taken.
  return alike.length === 1 ? [...cuda, { build: 'vulkan', environment: { ...environment, GGML_VK_VISIBLE_DEVICES: String(alike[0]) } }] : cuda;
}
