import { assert } from '@essaim/core';

/** Tokens that are found together; a prefix is found from so many on. */
export const CHUNK_TOKENS = 32;
/** Of the holders that share all of the last chunk found, how many are compared. */
const COMPARED_HOLDERS = 8;

/** Whatever begins with tokens; they only grow. */
export interface Prefixed {
  readonly tokenIds: readonly number[];
}

export interface Match<T> {
  readonly holder: T;
  /** Leading tokens that are the same: at least one. */
  readonly count: number;
}

/**
 * Finds a holder that begins with the same tokens, at the cost of one hash a token, however many holders there are. Each full chunk of a
 * holder is filed under a hash of all tokens up to its end. Tokens are compared at last, so that two prefixes of one hash cost a match
 * and never give a wrong one.
 */
export class PrefixIndex<T extends Prefixed> {
  readonly #holders = new Map<number, Set<T>>();
  /** Of each holder, the hashes of its chunks. */
  readonly #filed = new Map<T, number[]>();

  /** Files the chunks that a holder has filled since the last time. */
  update(holder: T): void {
    const filed = this.#filed.get(holder) ?? [];
    this.#filed.set(holder, filed);
    for (let first = filed.length * CHUNK_TOKENS; first + CHUNK_TOKENS <= holder.tokenIds.length; first += CHUNK_TOKENS) {
      const hash = hashChunk(filed.at(-1) ?? 0, holder.tokenIds, first);
      filed.push(hash);
      const holders = this.#holders.get(hash) ?? new Set();
      this.#holders.set(hash, holders.add(holder));
    }
  }

  remove(holder: T): void {
    for (const hash of this.#filed.get(holder) ?? []) {
      const holders = this.#holders.get(hash);
      holders?.delete(holder);
      if (holders?.size === 0) this.#holders.delete(hash);
    }
    this.#filed.delete(holder);
  }

  /** A holder that begins with as many chunks of `tokenIds` as any does; of several the one that goes on alike longest, then the one that is here longest. Null where none shares a chunk. */
  longest(tokenIds: readonly number[]): Match<T> | null {
    let holders: Iterable<T> = [];
    let hash = 0;
    for (let first = 0; first + CHUNK_TOKENS <= tokenIds.length; first += CHUNK_TOKENS) {
      hash = hashChunk(hash, tokenIds, first);
      const alike = this.#holders.get(hash);
      if (alike === undefined) break;
      holders = alike;
    }
    let best: Match<T> | null = null;
    let compared = 0;
    for (const holder of holders) {
      if (compared++ === COMPARED_HOLDERS) break;
      const count = sameTokens(holder.tokenIds, tokenIds);
      if (count > (best?.count ?? 0)) best = { holder, count };
    }
    return best;
  }

  /** These holders are filed, whole, and nobody else. */
  checkIntegrity(expected: readonly T[]): void {
    assert(this.#filed.size === expected.length, `the prefix index files ${this.#filed.size} holders where there are ${expected.length}`);
    for (const holder of expected) {
      const filed = this.#filed.get(holder) ?? [];
      assert(filed.length === Math.floor(holder.tokenIds.length / CHUNK_TOKENS), 'the prefix index files every full chunk of a holder');
      assert(filed.every((hash) => this.#holders.get(hash)?.has(holder)), 'the prefix index finds every chunk that it files');
    }
    const reachable = new Set([...this.#holders.values()].flatMap((holders) => [...holders]));
    assert([...reachable].every((holder) => this.#filed.has(holder)), 'the prefix index finds only holders that it files');
  }
}

/** 32 bits over the tokens of a chunk and, through `before`, over all tokens ahead of it. */
function hashChunk(before: number, tokenIds: readonly number[], first: number): number {
  let hash = before;
  for (let index = first; index < first + CHUNK_TOKENS; index++) {
    hash = Math.imul(hash ^ (tokenIds[index]! + 1), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameTokens(left: readonly number[], right: readonly number[]): number {
  const most = Math.min(left.length, right.length);
  let count = 0;
  while (count < most && left[count] === right[count]) count++;
  return count;
}
