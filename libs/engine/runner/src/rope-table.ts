import { type Rope } from '@essaim/core';
import { type RopeAngles } from './model-pieces.ts';

const FIRST_POSITIONS = 256;

/**
 * Rotary position embedding (https://arxiv.org/abs/2104.09864). Frequencies and angles are rounded to float32 where Hugging Face
 * transformers rounds them, so that long positions turn by the same angle as there. Grows with the positions asked for.
 */
export class RopeTable {
  readonly #frequencies: Float32Array;
  #positions = 0;
  #cos = new Float32Array(0);
  #sin = new Float32Array(0);

  constructor({ theta }: Rope, headSize: number) {
    this.#frequencies = Float32Array.from({ length: headSize / 2 }, (_, index) => 1 / Math.fround(theta ** Math.fround((2 * index) / headSize)));
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
    return { cos, sin };
  }

  #reach(position: number): void {
    if (position < this.#positions) return;
    const positions = Math.max(position + 1, 2 * this.#positions, FIRST_POSITIONS);
    const width = this.#frequencies.length;
    const angle = (index: number): number => Math.fround(Math.floor(index / width) * this.#frequencies[index % width]!);
    this.#cos = Float32Array.from({ length: positions * width }, (_, index) => Math.cos(angle(index)));
    this.#sin = Float32Array.from({ length: positions * width }, (_, index) => Math.sin(angle(index)));
    this.#positions = positions;
  }
}
