import { type ExpertKey } from '@essaim/core';
import { type ExpertGroup, type ExpertRunner } from '../src/index.ts';

/** Real arithmetic, different for each (layer, expert), value by value: no row can depend on another, as the port demands. */
export function toyExpert({ layer, expert }: ExpertKey, activations: Float32Array): Float32Array {
  return activations.map((value) => Math.tanh(value * (1 + expert / 7) - layer / 5) + Math.sin(3 * expert));
}

/** Counts what it ran; holds what it is told to. */
export class ToyRunner implements ExpertRunner {
  readonly runs: { readonly key: ExpertKey; readonly values: number }[] = [];
  readonly #holds: (key: ExpertKey) => boolean;

  constructor(holds: (key: ExpertKey) => boolean = () => true) {
    this.#holds = holds;
  }

  holds(key: ExpertKey): boolean {
    return this.#holds(key);
  }

  run(layer: number, groups: readonly ExpertGroup[]): Promise<Float32Array[]> {
    return Promise.resolve(groups.map(({ expert, activations }) => {
      const key = { layer, expert };
      this.runs.push({ key, values: activations.length });
      return toyExpert(key, activations);
    }));
  }
}
