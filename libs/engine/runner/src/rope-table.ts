import { type ModelSpec, type QueryScaling, rotarySizeOf } from '@essaim/core';
import { type RopeAngles } from './model-pieces.ts';
import { ropeFrequencies } from './rope-frequencies.ts';

const FIRST_POSITIONS = 256;

/**
 * Rotary position embedding (https://arxiv.org/abs/2104.09864). Angles are rounded to float32 where Hugging Face transformers rounds them.
 * Grows with the positions asked for.
 */
export class RopeTable {
  readonly #frequencies: Float32Array;
  readonly #magnitude: number;
  readonly #queryScaling: QueryScaling | null;
  #positions = 0;
  #cos = new Float32Array(0);
  #sin = new Float32Array(0);

  constructor({ rope, queryScaling, attention }: Pick<ModelSpec, 'rope' | 'queryScaling' | 'attention'>) {
    this.#frequencies = ropeFrequencies(rope, rotarySizeOf(attention));
    this.#magnitude = rope.kind === 'yarn' ? rope.magnitude : 1;
    this.#queryScaling = queryScaling;
  }

  /** Angles of each position, in the order given. */
  rows(positions: readonly number[]): RopeAngles {
    const width = this.#frequencies.length;
    this.#reach(positions.reduce((largest, position) => Math.max(largest, position), 0));
    const cos = new Float32Array(positions.length * width);
    const sin = new Float32Array(positions.length * width);
    positions.forEach((position, row) => {
      cos.set(this.#cos.subarray(position * width, (position + 1) * width), row * width);
      sin.set(this.#sin.subarray(position * width, (position + 1) * width), row * width);
    });
    return { cos, sin, queryScale: this.#queryScaling === null ? null : queryScale(positions, this.#queryScaling) };
  }

  #reach(position: number): void {
    if (position < this.#positions) return;
    const positions = Math.max(position + 1, 2 * this.#positions, FIRST_POSITIONS);
    const width = this.#frequencies.length;
    const angle = (index: number): number => Math.fround(Math.floor(index / width) * this.#frequencies[index % width]!);
    this.#cos = Float32Array.from({ length: positions * width }, (_, index) => this.#magnitude * Math.cos(angle(index)));
    this.#sin = Float32Array.from({ length: positions * width }, (_, index) => this.#magnitude * Math.sin(angle(index)));
    this.#positions = positions;
  }
}

const queryScale = (positions: readonly number[], { beta, originalContextLength }: QueryScaling): Float32Array =>
  Float32Array.from(positions, (position) => 1 + beta * Math.log1p(Math.floor(position / originalContextLength)));
