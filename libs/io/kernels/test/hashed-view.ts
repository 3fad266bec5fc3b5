import { type TensorView } from '@essaim/core';

/** Of a name, so that tensors differ. */
const seedOf = (name: string): number => [...name].reduce((seed, character) => Math.imul(seed, 31) + character.codePointAt(0)!, 7);

export interface HashedViewOptions {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Told before rows are read. */
  readonly onRead?: () => void;
}

/** A matrix of any size that lies nowhere: rows are made when they are read, the same ones each time, values within [-0.5, 0.5). */
export function hashedView({ name, rows, columns, onRead }: HashedViewOptions): TensorView {
  const seed = seedOf(name);
  return {
    name, rows, columns, dtype: 'f32',
    fingerprint: () => Promise.resolve(`${name} ${rows} ${columns}`),
    read: (firstRow, rowCount) => {
      onRead?.();
      const values = new Float32Array(rowCount * columns);
      // Knuth's multiplicative hash of the place; a loop, because this fills gigabytes.
      for (let index = 0, place = firstRow * columns + seed; index < values.length; index++, place++) values[index] = Math.imul(place, 2654435761) / 2 ** 32;
      return Promise.resolve(values);
    },
  };
}
