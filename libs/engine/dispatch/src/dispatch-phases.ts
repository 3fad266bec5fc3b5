import { type LeadPhase, type PhaseTimes } from '@essaim/core';

export type LeadTimes = Pick<PhaseTimes<LeadPhase>, 'enter'>;

/** What a lead does during one dispatch: while own experts run it is at them, whatever else is under way, and then at the answers of others. */
export class DispatchPhases {
  readonly #times: LeadTimes;
  readonly #before: LeadPhase;
  readonly #running = { experts: 0, remote: 0 };
  #isOver = false;

  constructor(times: LeadTimes) {
    this.#times = times;
    this.#before = times.enter('dispatch');
  }

  /** Runs a call to own experts or to remote ones; it may outlive the dispatch. */
  async call<T>(whose: 'experts' | 'remote', act: () => Promise<T>): Promise<T> {
    this.#running[whose]++;
    try {
      return await act();
    } finally {
      this.#running[whose]--;
      if (this.#running.experts + this.#running.remote > 0) this.wait();
      else this.#enter('dispatch');
    }
  }

  /** Nothing is left to do until something is answered. */
  wait(): void {
    this.#enter(this.#running.experts > 0 ? 'experts' : 'remote');
  }

  /** All answers are there. */
  sum(): void {
    this.#enter('dispatch');
  }

  end(): void {
    this.#isOver = true;
    this.#times.enter(this.#before);
  }

  #enter(phase: LeadPhase): void {
    if (!this.#isOver) this.#times.enter(phase);
  }
}
