import { floorOfBest } from './best.ts';

/** Classes of scores that a search tells apart in one pass. */
const CLASSES = 1_024;
/** So few candidates are sorted. */
const SORTED = 128;

export interface Softness {
  /** The highest score: its weight is 1. */
  readonly bestScore: number;
  /** Above 0. */
  readonly temperature: number;
}

interface ScoreRange {
  readonly highest: number;
  readonly lowest: number;
}

/** The best class is 0. It only rises as scores fall, and the best and the worst of a range are never in one. */
const classOf = (score: number, highest: number, perScore: number): number => Math.min(CLASSES - 1, Math.floor((highest - score) * perScore));

const classesPerScore = ({ highest, lowest }: ScoreRange): number => CLASSES / (highest - lowest);

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
  /** Slots among which a search still looks. */
  #window = new Uint32Array(0);
  readonly #masses = new Float64Array(CLASSES);

  /** All of `scores` [vocab]. */
  takeAll(scores: Float32Array, softness: Softness): void {
    this.#takeFrom(scores, -Infinity, softness);
  }

  /** The `count` best of `scores` [vocab]. */
  takeBest(scores: Float32Array, count: number, softness: Softness): void {
    const kept = Math.min(count, scores.length);
    this.#takeFrom(scores, floorOfBest(scores, kept), softness);
    this.#rank(kept);
    this.#count = kept;
  }

  /** The fewest best whose mass is at least `share` of all that is here; at least one. */
  keepMass(share: number): void {
    const { mass } = this;
    const last = this.#find((massSoFar) => massSoFar >= share * mass, mass * (1 - share));
    const [lastScore, lastId] = [this.#scores[last]!, this.#ids[last]!];
    this.#keep((slot) => this.#scores[slot]! > lastScore || (this.#scores[slot] === lastScore && this.#ids[slot]! <= lastId));
  }

  /** Those with at least `weight`. */
  keepFrom(weight: number): void {
    this.#keep((slot) => this.#weights[slot]! >= weight);
  }

  /** Inverse of the cumulative distribution, in order, at `uniform` in [0, 1). */
  draw(uniform: number): number {
    const { mass } = this;
    return this.#ids[this.#find((massSoFar) => massSoFar > uniform * mass, mass * (1 - uniform))]!;
  }

  /** What is left, best first after `takeBest`, else ascending. A view until the next use. */
  get ids(): Uint32Array {
    return this.#ids.subarray(0, this.#count);
  }

  /** Of all that is here. */
  get mass(): number {
    let mass = 0;
    for (let slot = 0; slot < this.#count; slot++) mass += this.#weights[slot]!;
    return mass;
  }

  #takeFrom(scores: Float32Array, floor: number, { bestScore, temperature }: Softness): void {
    if (this.#ids.length < scores.length) {
      this.#ids = new Uint32Array(scores.length);
      this.#scores = new Float32Array(scores.length);
      this.#weights = new Float64Array(scores.length);
      this.#window = new Uint32Array(scores.length);
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

  #keep(belongs: (slot: number) => boolean): void {
    let kept = 0;
    for (let slot = 0; slot < this.#count; slot++) if (belongs(slot)) this.#move(slot, kept++);
    this.#count = kept;
  }

  /**
   * The slot of the first, in order, with which the mass so far is enough, `spareMass` being what then is left. Weights are added up by
   * classes of scores, and only the class in which it lies is looked at closer: no candidate is moved, and few are compared.
   */
  #find(isEnough: (massSoFar: number) => boolean, spareMass: number): number {
    let window = this.#withoutTail(spareMass);
    let massSoFar = 0;
    for (let range = this.#rangeOf(window); window.length > SORTED && range.lowest < range.highest; range = this.#rangeOf(window)) {
      this.#addByClass(window, range);
      let wanted = 0;
      while (wanted < CLASSES - 1 && !isEnough(massSoFar + this.#masses[wanted]!)) massSoFar += this.#masses[wanted++]!;
      window = this.#ofClass(wanted, window, range);
    }
    // Equals are in order already, however many.
    if (window.length <= SORTED) window.sort((slot, other) => (this.#precedes(slot, other) ? -1 : 1));
    return window.find((slot) => isEnough((massSoFar += this.#weights[slot]!))) ?? window.at(-1)!;
  }

  /**
   * All slots but those so light that all of them together weigh under half of `spareMass`: whoever needs the rest of the mass never meets
   * them. A view until the next use, as those that follow are.
   */
  #withoutTail(spareMass: number): Uint32Array {
    const least = spareMass / (2 * this.#count);
    let count = 0;
    for (let slot = 0; slot < this.#count; slot++) if (this.#weights[slot]! >= least) this.#window[count++] = slot;
    return this.#window.subarray(0, count);
  }

  #rangeOf(window: Uint32Array): ScoreRange {
    let [highest, lowest] = [-Infinity, Infinity];
    for (let nth = 0; nth < window.length; nth++) {
      const score = this.#scores[window[nth]!]!;
      if (score > highest) highest = score;
      if (score < lowest) lowest = score;
    }
    return { highest, lowest };
  }

  #addByClass(window: Uint32Array, range: ScoreRange): void {
    const perScore = classesPerScore(range);
    this.#masses.fill(0);
    for (let nth = 0; nth < window.length; nth++) this.#masses[classOf(this.#scores[window[nth]!]!, range.highest, perScore)]! += this.#weights[window[nth]!]!;
  }

  /** Those of a class, in place. */
  #ofClass(wanted: number, window: Uint32Array, range: ScoreRange): Uint32Array {
    const perScore = classesPerScore(range);
    let count = 0;
    for (let nth = 0; nth < window.length; nth++) if (classOf(this.#scores[window[nth]!]!, range.highest, perScore) === wanted) window[count++] = window[nth]!;
    return window.subarray(0, count);
  }

  /**
   * Moves the `count` best to the front, in order. What is not ranked yet is a heap that starts at the end: the root in the last slot, the
   * children of slot s in 2s - count and the slot before, so that the heap gives way to the front.
   */
  #rank(count: number): void {
    const last = this.#count - 1;
    for (let slot = this.#count >> 1; slot <= last; slot++) this.#sift(slot, 0);
    for (let rank = 0; rank < Math.min(count, last); rank++) {
      this.#swap(rank, last);
      this.#sift(last, rank + 1);
    }
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
