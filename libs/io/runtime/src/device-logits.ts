import { type Tensor } from 'onnxruntime-node';
import { LOGITS_BLOCK } from '@essaim/graph';
import { type KeptLogits } from '@essaim/runner';
import { type FewLogits, type FewNeeded } from '@essaim/sampling';
import { floats, hostFloats, longs } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';

/**
 * Logits that stay on the device, [rows, vocab]. Of the best few the host gets the blocks in which they lie. ONNX Runtime's TopK on WebGPU has, by
 * the names of its kernels, whole rows sorted, which takes many passes over a vocabulary of 131,072; how long was not measured on a card.
 */
export class DeviceLogits implements KeptLogits {
  readonly #logits: Tensor;
  readonly #graphs: PlainGraphs;

  constructor(logits: Tensor, graphs: PlainGraphs) {
    this.#logits = logits;
    this.#graphs = graphs;
  }

  async few(needed: readonly FewNeeded[]): Promise<readonly FewLogits[]> {
    const sharpness = floats(Float32Array.from(needed, (row) => row.sharpness), [needed.length, 1]);
    const { maxima, mass, softMass } = await (await this.#graphs.blockMaxima()).run({ logits: this.#logits, sharpness });
    const perRow = maxima!.dims[1]!;
    const chosen = needed.map(({ count }, row) => bestBlocks(hostFloats(maxima!).subarray(row * perRow, (row + 1) * perRow), count));
    const values = await this.#blocks(chosen.flatMap(({ blocks }, row) => blocks.map((block) => row * perRow + block)));
    let taken = 0;
    return chosen.map(({ blocks, restAtMost }, row) => {
      const own = values.subarray(taken * LOGITS_BLOCK, (taken += blocks.length) * LOGITS_BLOCK);
      return { ...above(restAtMost, blocks, own), restAtMost, mass: hostFloats(mass!)[row]!, softMass: hostFloats(softMass!)[row]! };
    });
  }

  async take(rows: Uint32Array): Promise<Float32Array> {
    const { output } = await (await this.#graphs.takeLogits()).run({ values: this.#logits, rows: longs(rows) });
    return hostFloats(output!);
  }

  release(): void {
    this.#logits.dispose();
  }

  /** [places.length, LOGITS_BLOCK] */
  async #blocks(places: readonly number[]): Promise<Float32Array> {
    if (places.length === 0) return new Float32Array(0);
    const { output } = await (await this.#graphs.takeBlocks()).run({ logits: this.#logits, places: longs(places) });
    return hostFloats(output!);
  }
}

/** The `count` best blocks, ascending, without those that are no better than the best of all others: -Infinity where there is no other. */
function bestBlocks(maxima: Float32Array, count: number): { readonly blocks: readonly number[]; readonly restAtMost: number } {
  const restAtMost = maxima.length > count ? maxima.toSorted()[maxima.length - count - 1]! : -Infinity;
  return { blocks: [...maxima.keys()].filter((block) => maxima[block]! > restAtMost), restAtMost };
}

/** Of the logits of some blocks, [blocks, LOGITS_BLOCK], those above a bound, with their ids. */
function above(bound: number, blocks: readonly number[], values: Float32Array): Pick<FewLogits, 'ids' | 'logits'> {
  const ids: number[] = [];
  const logits: number[] = [];
  values.forEach((value, place) => {
    if (!(value > bound)) return;
    ids.push(blocks[Math.floor(place / LOGITS_BLOCK)]! * LOGITS_BLOCK + (place % LOGITS_BLOCK));
    logits.push(value);
  });
  return { ids: Uint32Array.from(ids), logits: Float32Array.from(logits) };
}
