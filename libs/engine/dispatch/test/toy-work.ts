import { PLAIN_ROUTER } from '@essaim/core';
import { type DispatchWork, type Routing, route } from '../src/index.ts';
import { toyExpert } from './toy-experts.ts';

export interface ToyWorkShape {
  readonly rows: number;
  readonly hiddenSize: number;
  readonly expertCount: number;
  readonly expertsPerToken: number;
  readonly seed: number;
}

export function toyWork({ rows, hiddenSize, expertCount, expertsPerToken, seed }: ToyWorkShape): DispatchWork {
  const wave = (index: number): number => 2 * Math.sin(seed + index * 1.37) * Math.cos(index * index + seed);
  return {
    step: 1,
    layer: 0,
    hiddenSize,
    activations: Float32Array.from({ length: rows * hiddenSize }, (_, index) => wave(index)),
    routing: route(Float32Array.from({ length: rows * expertCount }, (_, index) => wave(index + 10_000)), { expertCount, expertsPerToken, router: PLAIN_ROUTER }),
  };
}

/** A work whose rows go to the experts that are named, with equal gates. */
export function workFor(expertsOfRows: readonly (readonly number[])[], step = 1): DispatchWork {
  const expertsPerToken = expertsOfRows[0]!.length;
  const experts = Uint32Array.from(expertsOfRows.flat());
  const routing: Routing = { experts, gates: new Float32Array(experts.length).fill(1 / expertsPerToken), expertsPerToken };
  return { step, layer: 0, hiddenSize: 4, activations: Float32Array.from({ length: expertsOfRows.length * 4 }, (_, index) => Math.cos(index)), routing };
}

/** What the layer is defined to be, without any cluster: each row alone, summed in ascending expert order in float32. */
export function referenceOutput({ layer, hiddenSize, activations, routing: { experts, gates, expertsPerToken } }: DispatchWork): Float32Array {
  const output = new Float32Array(activations.length);
  for (let pair = 0; pair < experts.length; pair++) {
    const first = Math.floor(pair / expertsPerToken) * hiddenSize;
    const result = toyExpert({ layer, expert: experts[pair]! }, activations.slice(first, first + hiddenSize));
    for (let index = 0; index < hiddenSize; index++) output[first + index]! += Math.fround(result[index]! * gates[pair]!);
  }
  return output;
}
