/** Where the entries of each key are. */
export interface KeyOrder {
  /** [keyCount + 1]: the entries of key k are those in `order` from starts[k] to starts[k + 1]. */
  readonly starts: Uint32Array;
  /** [entries], ascending within a key. */
  readonly order: Uint32Array;
}

/** Counting sort: entries [0, keys.length) by their keys, each below `keyCount`. */
export function orderByKey(keys: Uint32Array, keyCount: number): KeyOrder {
  const starts = new Uint32Array(keyCount + 1);
  for (const key of keys) starts[key + 1]!++;
  for (let key = 0; key < keyCount; key++) starts[key + 1]! += starts[key]!;
  const next = starts.slice();
  const order = new Uint32Array(keys.length);
  for (let entry = 0; entry < keys.length; entry++) order[next[keys[entry]!]!++] = entry;
  return { starts, order };
}
