/** What can run a model on this host. All but the processor go through ONNX Runtime. */
export const PROVIDERS = ['cpu', 'webgpu', 'cuda', 'tensorrt'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What one provider can drive. The same card shows up once for each provider that reaches it. */
export interface HostDevice {
  readonly provider: Provider;
  /** Among the devices of its provider, as that provider counts them. */
  readonly index: number;
  readonly adapter: string;
  /** `software` is a driver of graphics that computes on the processor: good for tests, and for nothing else. */
  readonly kind: 'processor' | 'gpu' | 'software';
  /** Of its own; the host's where it shares them. Null where the driver does not tell. */
  readonly memoryBytes: number | null;
  /** Bytes of the largest tensor that it takes. Null without such a bound. */
  readonly tensorBytes: number | null;
  /** Whether it computes with float16. Null where that is not known. */
  readonly f16: boolean | null;
  /** Threads that run in step and can exchange values. Null where that is not known. */
  readonly subgroupSize: number | null;
  readonly driver: string | null;
  /** domain:bus:device.function, hexadecimal, lower case: 0000:3b:00.0. */
  readonly pciBusId: string | null;
  /** Null without NVLink, and where nothing tells. */
  readonly nvlink: Nvlink | null;
}

export interface Nvlink {
  /** Names the island of fast links among those of this host: the lowest PCI bus id in it. */
  readonly domain: string;
  /** PCI bus ids of the others in the domain that are reached directly. */
  readonly peers: readonly string[];
  /** Bytes per second in one direction over all active links together. Null where nothing tells. */
  readonly bytesPerSecond: number | null;
}

/** Why a provider can't be used here, in one sentence without a full stop. */
export interface Unusable {
  readonly provider: Provider;
  readonly reason: string;
}
