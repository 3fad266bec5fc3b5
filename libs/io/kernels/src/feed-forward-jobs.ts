import { JOB_ROWS } from './arena.ts';

/** A network, and how many rows it is to compute. */
export interface NetworkRows {
  readonly bank: number;
  readonly rows: number;
}

/** Rows [row, row + count) of the network `nth`. */
export interface JobRows {
  readonly nth: number;
  readonly row: number;
  readonly count: number;
}

/** The rows of several networks in jobs, in order: as many rows a job as it has room for, and networks of one bank only. */
export function feedForwardJobs(networks: readonly NetworkRows[]): JobRows[][] {
  const jobs: JobRows[][] = [];
  let room = 0;
  networks.forEach(({ bank, rows }, nth) => {
    for (let row = 0; row < rows; ) {
      const last = jobs.at(-1)?.[0];
      if (last === undefined || room === 0 || networks[last.nth]!.bank !== bank) room = (jobs.push([]), JOB_ROWS);
      const count = Math.min(rows - row, room);
      jobs.at(-1)!.push({ nth, row, count });
      room -= count;
      row += count;
    }
  });
  return jobs;
}
