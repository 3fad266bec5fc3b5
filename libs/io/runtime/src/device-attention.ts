import { type Tensor } from 'onnxruntime-node';
import { attentionOf } from '@essaim/graph';
import { type ModelSpec } from '@essaim/core';
import { type AttentionSpan } from '@essaim/runner';
import { type DeviceKeys, type Member } from './device-keys.ts';
import { type Feeds, longs } from './device-session.ts';
import { type PlainGraphs } from './plain-graphs.ts';
import { type StepCompany, type StepInputs } from './step-inputs.ts';

interface Asked {
  readonly layer: number;
  /** What the layer's first graph put out for all rows of the step. */
  readonly projected: Feeds;
  readonly inputs: StepInputs;
  /** Told of what has to be disposed of when the layer is done. */
  readonly own: (tensor: Tensor) => Tensor;
}

/** The attention of the sequences of a step, between the two graphs of a layer. */
export class DeviceAttention {
  readonly #kinds: readonly string[];
  readonly #graphs: PlainGraphs;
  readonly #keys: DeviceKeys;

  constructor(spec: ModelSpec, graphs: PlainGraphs, keys: DeviceKeys) {
    this.#kinds = attentionOf(spec).kept.map(({ name }) => name);
    this.#graphs = graphs;
    this.#keys = keys;
  }

  /** Every sequence's rows over what it kept, which goes on with their keys and values; the rows of all in the order of the step. */
  async attend(asked: Asked): Promise<Tensor> {
    const { inputs: { companies }, own } = asked;
    const isWhole = companies.length === 1;
    const parts: Tensor[] = [];
    for (const company of companies) parts.push(own(await (company.single ? this.#singles(company, asked, isWhole) : this.#others(company, asked, isWhole && company.spans.length === 1))));
    if (isWhole) return parts[0]!;
    const rows = companies.flatMap(({ spans }) => spans.flatMap(({ row, count }) => Array.from({ length: count }, (_, nth) => row + nth)));
    const order = new Uint32Array(rows.length);
    rows.forEach((row, place) => (order[row] = place));
    const { output } = await (await this.#graphs.join(parts.length)).run({ ...Object.fromEntries(parts.map((part, nth) => [`values.${nth}`, part])), order: longs(order) });
    return own(output!);
  }

  async #singles({ spans, masks: [mask] }: StepCompany, { layer, projected, own }: Asked, whole: boolean): Promise<Tensor> {
    const past = await this.#past(spans, layer, own);
    const graph = await this.#graphs.singles({ whole, masked: mask !== undefined });
    const { attended, ...now } = await graph.run({ ...projected, ...past, ...(!whole && { rows: longs(spans.map(({ row }) => row)) }), ...(mask !== undefined && { mask }) });
    await this.#put(spans, layer, Object.fromEntries(this.#kinds.map((name) => [name, now[`${name}.now`]!])));
    return attended!;
  }

  async #others({ spans, masks }: StepCompany, { layer, projected, own }: Asked, whole: boolean): Promise<Tensor> {
    const feeds: Record<string, Tensor> = { ...projected };
    for (const [nth, span] of spans.entries()) {
      for (const [name, tensor] of Object.entries(await this.#past([span], layer, own))) feeds[`${name}.${nth}`] = tensor;
      feeds[`mask.${nth}`] = masks[nth]!;
      if (!whole) Object.assign(feeds, { [`begin.${nth}`]: longs([span.row]), [`end.${nth}`]: longs([span.row + span.count]) });
    }
    const { attended, ...now } = await (await this.#graphs.among(spans.length, whole)).run(feeds);
    for (const [nth, span] of spans.entries()) await this.#put([span], layer, Object.fromEntries(this.#kinds.map((name) => [name, now[`${name}.${nth}.now`]!])));
    return attended!;
  }

  async #past(spans: readonly AttentionSpan[], layer: number, own: Asked['own']): Promise<Feeds> {
    const { tensors, isNew } = await this.#keys.past(spans.map(({ cache }): Member => ({ cache, length: cache.length })), layer);
    if (isNew) Object.values(tensors).forEach(own);
    return tensors;
  }

  #put(spans: readonly AttentionSpan[], layer: number, tensors: Feeds): Promise<void> {
    return this.#keys.put(spans.map(({ cache, count }) => ({ cache, length: cache.length + count })), layer, tensors);
  }
}
