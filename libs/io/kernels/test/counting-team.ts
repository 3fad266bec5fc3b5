import { Team, type TeamOptions } from '../src/team.ts';
import { type CountingJob, type CountingSetup, CountingWork, MOST_PARTS } from './counting-work.ts';

/** Of one job. */
export const MOST_PHASES = 16;

export interface CountingTeamOptions extends Pick<TeamOptions<CountingSetup>, 'threads' | 'after' | 'waitMs' | 'onLost'> {
  /** The other threads. Default: false. */
  readonly failsToStart?: boolean;
}

/** A team whose work is to count. */
export class CountingTeam extends Team<CountingSetup> {
  readonly setup: CountingSetup;
  readonly #own: CountingWork;

  constructor({ failsToStart = false, ...options }: CountingTeamOptions) {
    const ints = (count: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * count));
    const setup = { done: ints(MOST_PHASES * MOST_PARTS), banks: ints(2 * options.threads), failsToStart };
    super({ ...options, entry: new URL('./counting.thread.ts', import.meta.url), setup });
    this.setup = setup;
    this.#own = new CountingWork(setup, 0, this.signal);
  }

  /** Runs a job; returns how often each part of each of its phases was done. */
  count(job: CountingJob): number[] {
    this.setup.done.fill(0);
    const written = CountingWork.job(job);
    this.run(written, () => this.#own.run(written));
    return Array.from({ length: job.phases * job.parts }, (_, nth) => this.setup.done[Math.floor(nth / job.parts) * MOST_PARTS + (nth % job.parts)]!);
  }
}
