import { AppError } from '@essaim/core';

/** An answer on its way through what it must be, one token after the other. */
export interface Matcher {
  /** The answer may end here. */
  readonly isComplete: boolean;
  /** It must: nothing can follow. */
  readonly isOver: boolean;
  /** Ids that may be next, one bit each: id k is bit k % 32 of word k / 32. It stays as it is. */
  mask(): Uint32Array;
  /** False, and nothing changes, where the token may not follow. */
  accept(id: number): boolean;
  /** How many of the ids, from the first on, may follow one after the other. Nothing changes. */
  reach(ids: readonly number[]): number;
}

/** Keeps the choice of tokens to what a matcher allows: a token that ends the answer may be chosen exactly where the answer may end. */
export class ConstrainedChoice {
  readonly #matcher: Matcher;
  readonly #stopIds: ReadonlySet<number>;
  #allowed = new Uint32Array(0);

  constructor(matcher: Matcher, stopIds: ReadonlySet<number>) {
    this.#matcher = matcher;
    this.#stopIds = stopIds;
  }

  /** Nothing can follow what there is. */
  get isOver(): boolean {
    return this.#matcher.isOver;
  }

  /** Fails with `invalid_argument` where the token may not follow: then the one who says that it did has another constraint, or another vocabulary. */
  accept(id: number): void {
    if (!this.#matcher.accept(id)) throw new AppError('invalid_argument', `token ${id} can't stand where it does in an answer to this schema, pattern or grammar: send the request again`);
  }

  /** The ids that may be right, from the first on. */
  possible(ids: readonly number[]): readonly number[] {
    return ids.slice(0, this.#matcher.reach(ids));
  }

  /**
   * The ids that may be chosen, as bits; a view until the next use. Where the answer may end but should not yet, it ends only if nothing
   * else can follow. Fails with `invalid_argument` where nothing at all may be chosen.
   */
  allowed({ mayStop }: { readonly mayStop: boolean }): Uint32Array {
    const mask = this.#matcher.mask();
    if (this.#allowed.length !== mask.length) this.#allowed = new Uint32Array(mask.length);
    const allowed = this.#allowed;
    allowed.set(mask);
    for (const id of this.#stopIds) setBit(allowed, id, false);
    if (this.#matcher.isComplete && (mayStop || isEmpty(allowed))) for (const id of this.#stopIds) setBit(allowed, id, true);
    if (isEmpty(allowed)) throw new AppError('invalid_argument', 'no token of this model can go on with the answer as its schema, pattern or grammar has it: allow what the model can write');
    return allowed;
  }
}

const isEmpty = (bits: Uint32Array): boolean => bits.every((word) => word === 0);

function setBit(bits: Uint32Array, id: number, isOn: boolean): void {
  if (isOn) bits[id >>> 5]! |= 1 << (id & 31);
  else bits[id >>> 5]! &= ~(1 << (id & 31));
}
