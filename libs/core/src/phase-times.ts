import { type Clock } from './clock.ts';

/** Whole microseconds by phase. They only grow. */
export type Microseconds<Phase extends string> = Readonly<Record<Phase, number>>;

/**
 * Where the time of somebody goes who does one thing after the other: at every moment it is in exactly one phase, so that the phases add
 * up to the time that passed, to the microsecond.
 */
export class PhaseTimes<Phase extends string> {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #spent: Record<Phase, number>;
  #phase: Phase;
  /** Whole microseconds: differences of rounded times add up, rounded differences would not. */
  #since: number;

  /** Begins in the phase `first`, which is one of `phases`. */
  constructor(phases: readonly Phase[], first: NoInfer<Phase>, clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
    this.#spent = zeros(phases);
    this.#phase = first;
    this.#since = microsecondsOf(clock);
  }

  /** Ends the present phase and returns it, for whoever has to go back to it. */
  enter(phase: Phase): Phase {
    const [now, ended] = [microsecondsOf(this.#clock), this.#phase];
    this.#spent[ended] += now - this.#since;
    this.#since = now;
    this.#phase = phase;
    return ended;
  }

  /** Counts work that is done when it returns as another phase than the one that it interrupts. */
  within<T>(phase: Phase, work: () => T): T {
    const interrupted = this.enter(phase);
    try {
      return work();
    } finally {
      this.enter(interrupted);
    }
  }

  /** Up to this moment. */
  read(): Microseconds<Phase> {
    this.enter(this.#phase);
    return { ...this.#spent };
  }
}

/** What several do at the same time, each by its own duration: the sum may be more than the time that passed. */
export class Durations<Phase extends string> {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #spent: Record<Phase, number>;

  constructor(phases: readonly Phase[], clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
    this.#spent = zeros(phases);
  }

  add(phase: Phase, durationMs: number): void {
    this.#spent[phase] += 1_000 * durationMs;
  }

  within<T>(phase: Phase, work: () => T): T {
    const beganMs = this.#clock.nowMs();
    try {
      return work();
    } finally {
      this.add(phase, this.#clock.nowMs() - beganMs);
    }
  }

  read(): Microseconds<Phase> {
    const rounded = Object.entries<number>(this.#spent).map(([phase, microseconds]) => [phase, Math.round(microseconds)]);
    return Object.fromEntries(rounded) as Microseconds<Phase>;
  }
}

const microsecondsOf = (clock: Pick<Clock, 'nowMs'>): number => Math.round(1_000 * clock.nowMs());

const zeros = <Phase extends string>(phases: readonly Phase[]): Record<Phase, number> => Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<Phase, number>;
