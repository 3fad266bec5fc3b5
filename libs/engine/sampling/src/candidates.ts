import { floorOfBest } from './best.ts';

export interface Softness {
  /** The highest score: its weight is 1. */
  readonly bestScore: number;
  /** Above 0. */
  readonly temperature: number;
}

/**
 * Token ids that may still be drawn, each with its weight exp((score - best) / temperature): a probability but for the common factor.
 * Filters narrow the set; nothing is sorted further than a filter or the draw has to look. Order is by score, lower id among equals.
 * The arrays grow to the vocabulary and are used again for each draw.
 */
export class Candidates {
  #ids = new Uint32Array(0);
  #scores = new Float32Array(0);
  #weights = new Float64Array(0);
  #count = 0;

  /** All of `scores` [vocab]. */
  takeAll(scores: Float32Array, softness: Softness): void {
    this.#takeFrom(scores, -Infinity, softness);
  }

  /** The `count` best of `scores` [vocab]. */
  takeBest(scores: Float32Array, count: number, softness: Softness): void {
    const kept = Math.min(count, scores.length);
    this.#takeFrom(scores, floorOfBest(scores, kept), softness);
    this.#count = this.#rank((rank) => rank + 1 >= kept);
  }

  /** The fewest best whose mass is at least `share` of all that is here; at least one. */
  keepMass(share: number): void {
    const mass = this.#mass();
    this.#dropTail(mass * (1 - share));
    this.#count = this.#rank((_rank, massSoFar) => massSoFar >= share * mass);
  }

  /** Those with at least `weight`. */
  keepFrom(weight: number): void {
    let kept = 0;
    for (let slot = 0; slot < this.#count; slot++) {
      if (this.#weights[slot]! >= weight) this.#move(slot, kept++);
    }
    this.#count = kept;
  }

  /** Inverse of the cumulative distribution, in order, at `uniform` in [0, 1). Narrows the set to those up to the id it returns. */
  draw(uniform: number): number {
    const mass = this.#mass();
    this.#dropTail(mass * (1 - uniform));
    this.#count = this.#rank((_rank, massSoFar) => massSoFar > uniform * mass);
    return this.#ids[this.#count - 1]!;
  }

  /** What is left, best first after `takeBest`. A view until the next use. */
  get ids(): Uint32Array {
    return this.#ids.subarray(0, this.#count);
  }

  #takeFrom(scores: Float32Array, floor: number, { bestScore, temperature }: Softness): void {
    if (this.#ids.length < scores.length) {
      this.#ids = new Uint32Array(scores.length);
      this.#scores = new Float32Array(scores.length);
      this.#weights = new Float64Array(scores.length);
    }
    this.#count = 0;
    for (let id = 0; id < scores.length; id++) {
      const score = scores[id]!;
      if (score < floor) continue;
      this.#ids[this.#count] = id;
      this.#scores[this.#count] = score;
      this.#weights[this.#count++] = Math.exp((score - bestScore) / temperature);
    }
  }

  #mass(): number {
    let mass = 0;
    for (let slot = 0; slot < this.#count; slot++) mass += this.#weights[slot]!;
    return mass;
  }

  /** Leaves out ids so light that all of them together weigh under half of `spareMass`: whoever needs the rest of the mass never meets them. */
  #dropTail(spareMass: number): void {
    this.keepFrom(spareMass / (2 * this.#count));
  }

  /**
   * Moves the best to the front, in order, until `isEnough` says so; returns how many. What is not ranked yet is a heap that starts at
   * the end: the root in the last slot, the children of slot s in 2s - count and the slot before, so that the heap gives way to the front.
   */
  #rank(isEnough: (rank: number, massSoFar: number) => boolean): number {
    const last = this.#count - 1;
    for (let slot = this.#count >> 1; slot <= last; slot++) this.#sift(slot, 0);
    let mass = 0;
    for (let rank = 0; rank < last; rank++) {
      this.#swap(rank, last);
      this.#sift(last, rank + 1);
      mass += this.#weights[rank]!;
      if (isEnough(rank, mass)) return rank + 1;
    }
    return this.#count;
  }

  #sift(root: number, firstSlot: number): void {
    for (let slot = root; ; ) {
      let child = 2 * slot - this.#count;
      if (child < firstSlot) return;
      if (child > firstSlot && this.#precedes(child - 1, child)) child--;
      if (!this.#precedes(child, slot)) return;
      this.#swap(slot, child);
      slot = child;
    }
  }

  #precedes(slot: number, other: number): boolean {
    const score = this.#scores[slot]!;
    const otherScore = this.#scores[other]!;
    return score > otherScore || (score === otherScore && this.#ids[slot]! < this.#ids[other]!);
  }

  #swap(slot: number, other: number): void {
    const id = this.#ids[slot]!;
    const score = this.#scores[slot]!;
    const weight = this.#weights[slot]!;
    this.#move(other, slot);
    this.#ids[other] = id;
    this.#scores[other] = score;
    this.#weights[other] = weight;
  }

  #move(from: number, to: number): void {
    this.#ids[to] = this.#ids[from]!;
    this.#scores[to] = this.#scores[from]!;
    this.#weights[to] = this.#weights[from]!;
  }
}
