/** Where a sequence stands among those that want to run. It keeps its place while it runs, so that it can come back to it. */
export interface Place<S> {
  readonly sequence: S;
  /** Lower is served earlier. */
  readonly priority: number;
  /** How many were here before. */
  readonly arrival: number;
  /** How often it ran and made room for a better one. */
  readonly preemptions: number;
}

/**
 * So many later ones overtake a sequence, at most, for each step of priority between them. More than wait at a time: among those that
 * are here together priority decides, and still the worst one's turn comes, however many better ones keep arriving.
 */
export const OVERTAKERS_PER_STEP = 1_024;

/** Negative where `one` is served first. Never 0 for two. */
export function compare(one: Place<unknown>, other: Place<unknown>): number {
  return OVERTAKERS_PER_STEP * (one.priority - other.priority) + one.arrival - other.arrival || one.arrival - other.arrival;
}

/** Sequences that wait, the one that is next first. Whoever enters bounds how many they are. */
export class WaitingLine<S> {
  /** In order. */
  readonly #places: Place<S>[] = [];
  readonly #placeOf = new Map<S, Place<S>>();

  get size(): number {
    return this.#places.length;
  }

  get first(): Place<S> | undefined {
    return this.#places[0];
  }

  enter(place: Place<S>): void {
    this.#places.splice(this.#indexOf(place), 0, place);
    this.#placeOf.set(place.sequence, place);
  }

  /** Does nothing for one that is not here. */
  leave(sequence: S): void {
    const place = this.#placeOf.get(sequence);
    if (place === undefined) return;
    this.#placeOf.delete(sequence);
    this.#places.splice(this.#indexOf(place), 1);
  }

  /** How many are served before it, by bisection. */
  #indexOf(place: Place<S>): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#places[middle]!, place) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
