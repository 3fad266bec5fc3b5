import { type LatentAttention, type TensorView } from '@essaim/core';

/**
 * What makes keys and values of latents, by head, as attention multiplies with it. Absorbed, it applies the key's part to queries instead: `keyUp`, turned, [latentRank, plainSize]. Of what makes
 * values and keys of a latent, `up`, [valueSize, latentRank] and [plainSize, latentRank] of each head in turn, it needs the first alone; where keys and values are made, both are multiplied as one.
 * @param up [headCount * (plainSize + valueSize), latentRank], of each head the plain key first
 */
export function headMatrices(up: TensorView, { headCount, plainSize, valueSize }: LatentAttention): { readonly keyUp: TensorView[]; readonly up: TensorView[] } {
  // All of them are parts of one tensor, which is looked at once.
  let known: Promise<string> | undefined;
  const fingerprint = (): Promise<string> => (known ??= up.fingerprint());
  const firsts = Array.from({ length: headCount }, (_, head) => head * (plainSize + valueSize));
  return {
    keyUp: firsts.map((first) => turned(up, first, plainSize, fingerprint)),
    up: firsts.flatMap((first) => [rowsOf(up, first + plainSize, valueSize, fingerprint), rowsOf(up, first, plainSize, fingerprint)]),
  };
}

/** Rows [first, first + rows) of a matrix. */
const rowsOf = (view: TensorView, first: number, rows: number, fingerprint: () => Promise<string>): TensorView => ({
  name: `${view.name} (rows from ${first})`, rows, columns: view.columns, dtype: view.dtype,
  fingerprint: async () => `${await fingerprint()} rows ${first} ${rows}`,
  read: (row, count) => view.read(first + row, count),
});

/** Rows [first, first + columns) of a matrix as columns. */
const turned = (view: TensorView, first: number, columns: number, fingerprint: () => Promise<string>): TensorView => ({
  name: `${view.name} (rows from ${first}, turned)`, rows: view.columns, columns, dtype: view.dtype,
  fingerprint: async () => `${await fingerprint()} turned ${first} ${columns}`,
  read: async (row, count) => {
    const whole = await view.read(first, columns);
    const part = new Float32Array(count * columns);
    for (let column = 0; column < columns; column++) {
      for (let nth = 0; nth < count; nth++) part[nth * columns + column] = whole[column * view.columns + row + nth]!;
    }
    return part;
  },
});
