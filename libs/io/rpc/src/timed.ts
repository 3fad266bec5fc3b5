/** Runs work that turns activations into bytes or back, and may count its time. Returns what the work returns, throws what it throws. */
export type Timed = <T>(work: () => T) => T;

export const untimed: Timed = (work) => work();
