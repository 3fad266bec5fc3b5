import { type LeadPhase, type PhaseTimes } from '@essaim/core';

export type LeadTimes = Pick<PhaseTimes<LeadPhase>, 'enter'>;

/** What a lead does during one dispatch: while own experts run it is at them, whatever else is under way, and then at the answers of others. */
export class DispatchPhases {
  readonly #times: LeadTimes;
  readonly #before: LeadPhase;
  #ownCalls = 0;
  #isOver = false;

  constructor(times: LeadTimes) {
    this.#times = times;
    this.#before = times.enter('dispatch');
  }

  /** A call to own experts is under way; it may outlive the dispatch. */
  async own<T>(call: () => Promise<T>): Promise<T> {
    this.#ownCalls++;
    try {
      return await call();
    } finally {
      this.#ownCalls--;
      this.wait();
    }
  }

  /** Nothing is left to do until something is answered. */
  wait(): void {
    if (!this.#isOver) this.#times.enter(this.#ownCalls > 0 ? 'experts' : 'remote');
  }

  /** All answers are there. */
  sum(): void {
    this.#times.enter('dispatch');
  }

  end(): void {
    this.#isOver = true;
    this.#times.enter(this.#before);
  }
}
