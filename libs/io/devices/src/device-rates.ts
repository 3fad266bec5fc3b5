import { downloadGraph, repeatedCopyGraph, repeatedProductGraph, type Repeated, uploadGraph } from '@essaim/graph';
import { type DeviceGraph, openGraph, type ProcessDevice } from './device-graph.ts';

/** What bounds any model on a device. */
export interface DeviceRates {
  /** From the host's memory to the device's. */
  readonly uploadBytesPerSecond: number;
  /** And back. */
  readonly downloadBytesPerSecond: number;
  /** From asking a device that has nothing to do until its answer, a single number, is there. */
  readonly answerSeconds: number;
  /** Read and written by the device in its own memory, added up. */
  readonly copyBytesPerSecond: number;
  /** Of products of square matrices; a multiplication and an addition are two. */
  readonly flopsPerSecond: { readonly f32: number; /** Null where the device has no float16. */ readonly f16: number | null };
}

/** How much is asked of a device: enough to fill it, and little enough to be done in a second. */
export interface RateSizes {
  /** Floats, more than a cache holds. */
  readonly copy: number;
  /** Rows and columns. */
  readonly product: number;
}

/** 128 MiB, which every card binds at once, and matrices that keep a data centre's card busy. */
export const CARD_SIZES: RateSizes = { copy: 32 << 20, product: 4_096 };
export const SOFTWARE_SIZES: RateSizes = { copy: 1 << 20, product: 128 };

const BORDER_FLOATS = 8 << 20;
/** The best of these counts: whatever disturbs makes slower. */
const ROUNDS = 3;
const FEW = 4;
const MANY = 12;

/** Measures a device that nothing else uses now. Fails as `openGraph` does. */
export async function measureRates(device: ProcessDevice, { sizes, f16 }: { readonly sizes: RateSizes; readonly f16: boolean }): Promise<DeviceRates> {
  const repetition = (size: number, graph: (repeated: Repeated) => Uint8Array): Promise<number> => secondsPerRepetition(device, (times) => graph({ size, times }), size);
  const flopsOf = async (type: 'f32' | 'f16'): Promise<number> => (2 * sizes.product ** 3) / (await repetition(sizes.product, (repeated) => repeatedProductGraph(repeated, type)));
  return {
    uploadBytesPerSecond: await measureUpload(device),
    ...(await measureDownload(device)),
    copyBytesPerSecond: (2 * sizes.copy * Float32Array.BYTES_PER_ELEMENT) / (await repetition(sizes.copy, repeatedCopyGraph)),
    flopsPerSecond: { f32: await flopsOf('f32'), f16: f16 ? await flopsOf('f16') : null },
  };
}

/** Bytes per second from the host's memory to the device's: what a graph takes longer that is fed much than one that is fed little. */
export async function measureUpload(device: ProcessDevice): Promise<number> {
  const graph = await openGraph(device, uploadGraph());
  const little = await bestSeconds(graph, new Float32Array(1));
  const much = await bestSeconds(graph, new Float32Array(BORDER_FLOATS));
  await graph.release();
  return Math.round((BORDER_FLOATS * Float32Array.BYTES_PER_ELEMENT) / longer(much, little));
}

/** Likewise back, and how soon the least is there. */
async function measureDownload(device: ProcessDevice): Promise<Pick<DeviceRates, 'downloadBytesPerSecond' | 'answerSeconds'>> {
  const secondsOf = (length: number): Promise<number> => secondsOfGraph(device, downloadGraph(length), Float32Array.of(1));
  const little = await secondsOf(1);
  return { answerSeconds: little, downloadBytesPerSecond: Math.round((BORDER_FLOATS * Float32Array.BYTES_PER_ELEMENT) / longer(await secondsOf(BORDER_FLOATS), little)) };
}

/** What one repetition takes on the device, without what it takes to ask for any. */
async function secondsPerRepetition(device: ProcessDevice, graphOf: (times: number) => Uint8Array, size: number): Promise<number> {
  const secondsOf = (times: number): Promise<number> => secondsOfGraph(device, graphOf(times), Float32Array.of(1 / size));
  const few = await secondsOf(FEW);
  return longer(await secondsOf(MANY), few) / (MANY - FEW);
}

async function secondsOfGraph(device: ProcessDevice, model: Uint8Array, data: Float32Array): Promise<number> {
  const graph = await openGraph(device, model);
  const seconds = await bestSeconds(graph, data);
  await graph.release();
  return seconds;
}

/** The first run compiles, and makes room. */
async function bestSeconds(graph: DeviceGraph, data: Float32Array): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const begin = performance.now();
    await graph.run({ input: { data, dims: [data.length] } });
    if (round > 0) seconds.push((performance.now() - begin) / 1_000);
  }
  return Math.min(...seconds);
}

/** A machine that is busy elsewhere may take longer for less: then all that much took counts, and the rate comes out too low rather than wrong. */
const longer = (much: number, little: number): number => (much > little ? much - little : much);
