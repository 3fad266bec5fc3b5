import { denseSizeOf, expertCount, isRouted, type ModelSpec, rotarySizeOf } from '@essaim/core';
import { type KvCache } from '@essaim/kv';
import { type AttentionStep } from '@essaim/runner';
import { type KernelModel } from '../src/kernel-model.ts';
import { SMALL_SPECS } from './model-of.ts';

/** The next tokens of a sequence. */
export interface Next {
  readonly cache: KvCache;
  readonly tokenIds: readonly number[];
}

/** So many tokens of the small vocabulary, others for each seed. */
export const idsOf = (count: number, seed: number): number[] => Array.from({ length: count }, (_, nth) => (nth * nth + 31 * seed + 7 * nth) % SMALL_SPECS['grouped queries'].vocabSize);

/** What every piece gave for the rows of a step, by the piece's name: [rows, width] each. */
export type Given = Readonly<Record<string, Float32Array>>;

export interface ForwardOptions {
  /** Changes what goes into a layer. */
  readonly onHidden?: (layer: number, hidden: Float32Array) => void;
  /** Default: true. */
  readonly sameInAnyChunk?: boolean;
}

/** A step through every piece of a model, all experts over all rows; commits. */
export async function forward(model: KernelModel, spec: ModelSpec, step: readonly Next[], { onHidden, sameInAnyChunk = true }: ForwardOptions = {}): Promise<Given> {
  const given: Record<string, Float32Array> = {};
  for (const { cache, tokenIds } of step) cache.prepare(tokenIds.length);
  const attention = { ...stepOf(spec, step), sameInAnyChunk };
  let hidden = await model.embed(step.flatMap(({ tokenIds }) => tokenIds));
  given['embed'] = hidden;
  for (let layer = 0; layer < spec.layerCount; layer++) {
    onHidden?.(layer, hidden);
    const { next, normed, routerLogits } = await model.attend(layer, hidden, attention);
    const networks = denseSizeOf(spec, layer) > 0 ? [await model.dense(layer, normed)] : [];
    if (isRouted(spec, layer)) networks.push(...(await model.run(layer, Array.from({ length: expertCount(spec) }, (_, expert) => ({ expert, activations: normed })))));
    Object.assign(given, { [`next.${layer}`]: next.slice(), [`normed.${layer}`]: normed });
    if (routerLogits !== null) given[`router.${layer}`] = routerLogits;
    for (const [nth, network] of networks.entries()) {
      given[`network.${layer}.${nth}`] = network;
      network.forEach((value, index) => void (next[index]! += value));
    }
    hidden = next;
  }
  given['head'] = await model.head(hidden);
  for (const { cache, tokenIds } of step) cache.commit(tokenIds);
  return given;
}

function stepOf(spec: ModelSpec, step: readonly Next[]): Omit<AttentionStep, 'sameInAnyChunk'> {
  let row = 0;
  const spans = step.map(({ cache, tokenIds: { length } }) => ({ cache, count: length, row: (row += length) - length }));
  const positions = spans.flatMap(({ cache, count }) => Array.from({ length: count }, (_, nth) => cache.length + nth));
  const half = rotarySizeOf(spec.attention) / 2;
  const angles = positions.flatMap((position) => Array.from({ length: half }, (_, nth) => position / 100 ** (nth / half)));
  const queryScale = spec.queryScaling === null ? null : Float32Array.from(positions, (position) => 1 + spec.queryScaling!.beta * Math.log1p(position));
  return { spans, even: false, angles: { cos: Float32Array.from(angles, Math.cos), sin: Float32Array.from(angles, Math.sin), queryScale } };
}

/** Rows [first, end) of `rows`. */
export const rowsOf = (given: Given, rows: number, first: number, end: number): Given =>
  Object.fromEntries(Object.entries(given).map(([name, values]) => [name, values.slice((first * values.length) / rows, (end * values.length) / rows)]));

/** Steps one behind the other as one. */
export const joined = (parts: readonly Given[]): Given =>
  Object.fromEntries(Object.keys(parts[0]!).map((name) => [name, Float32Array.from(parts.flatMap((part) => [...part[name]!]))]));

/** The names of what differs in any bit. */
export const differing = (one: Given, other: Given): string[] =>
  Object.keys({ ...one, ...other }).filter((name) => !bytesOf(one[name]).equals(bytesOf(other[name])));

const bytesOf = (values: Float32Array = new Float32Array(0)): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
