import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { CountingTeam, type CountingTeamOptions, MOST_PHASES } from '../test/counting-team.ts';
import { type CountingJob, MOST_PARTS } from '../test/counting-work.ts';
import { Team } from './team.ts';

const teams: CountingTeam[] = [];
afterEach(async () => {
  for (const team of teams.splice(0)) await team.close();
});
const teamOf = (options: CountingTeamOptions): CountingTeam => teams[teams.push(new CountingTeam(options)) - 1]!;
const expectWhole = (team: CountingTeam, job: CountingJob): void => expect(team.count(job)).toEqual(new Array(job.phases * job.parts).fill(1));

describe.each([1, 2, 3])('a team of %i', (threads) => {
  it('does every part of every phase once, in thousands of jobs, past the largest number of one', () => {
    const team = teamOf({ threads, after: 2 ** 31 - 1000 });
    for (let job = 0; job < 1200; job++) expectWhole(team, { phases: 1 + (job % 3), parts: job % MOST_PARTS });
    expectWhole(team, { phases: MOST_PHASES, parts: 5 });
  });

  it('does every part of every job while other processes keep its threads from their processors', async () => {
    const team = teamOf({ threads });
    const busy = Array.from({ length: 3 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    try {
      await Promise.all(busy.map((each) => once(each, 'spawn')));
      for (let job = 0; job < 500; job++) expectWhole(team, { phases: 3, parts: 9 });
    } finally {
      for (const each of busy) each.kill('SIGKILL');
    }
  });

  it('fails a job as the thread that failed says, whichever and wherever, and does the next ones', () => {
    const team = teamOf({ threads });
    for (let thread = 0; thread < threads; thread++) {
      for (const phase of [0, 1, 4]) {
        expect(() => team.count({ phases: 5, parts: 7, failing: { thread, phase } })).toThrow(expect.objectContaining({ code: 'data_loss', message: `injected: thread ${thread} fails` }));
        expectWhole(team, { phases: 5, parts: 7 });
      }
    }
  });

  it('is told of banks before the next job, between jobs and at once', async () => {
    const team = teamOf({ threads });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    for (let bank = 0; bank < 3; bank++) {
      await team.tell({ kind: 'bank', bank, memory });
      expectWhole(team, { phases: 2, parts: 9 });
    }
    expect([...team.setup.banks].slice(2)).toEqual(new Array(threads - 1).fill([3, 3 * 65_536]).flat());
  });

  it('is closed once, however often it is told to, and runs nothing afterwards', async () => {
    const team = teamOf({ threads });
    expectWhole(team, { phases: 1, parts: 3 });
    await Promise.all([team.close(), team.close()]);
    await team.close();
    expect(() => team.count({ phases: 1, parts: 3 })).toThrow('closed runs nothing');
  });
});

describe('a team that lost a thread', () => {
  it('says so, and fails every job at once', async () => {
    const lost = Promise.withResolvers<Error>();
    const team = teamOf({ threads: 3, failsToStart: true, onLost: lost.resolve });
    expect(await lost.promise).toMatchObject({ message: 'injected: this thread can not start' });
    expect(() => team.count({ phases: 1, parts: 1 })).toThrow('can not start');
    await expect(team.tell({ kind: 'close' })).rejects.toThrow('can not start');
    await team.close();
  });

  it('does jobs without it until all must come, then fails that one and all others', () => {
    const told: string[] = [];
    const team = teamOf({ threads: 2, failsToStart: true, waitMs: 1, after: -3, onLost: ({ message }) => told.push(message) });
    for (let job = 0; job < 2; job++) expectWhole(team, { phases: 2, parts: 3 });
    expect(() => team.count({ phases: 1, parts: 1 })).toThrow('does not answer: restart the worker');
    expect(() => team.count({ phases: 1, parts: 1 })).toThrow('does not answer: restart the worker');
    expect(told).toEqual(['a compute thread of this worker does not answer: restart the worker']);
  });

  it('can not have more threads than have something to run', () => {
    expect(() => new Team({ threads: 2, entry: null, setup: null })).toThrow('more than one thread needs a file');
  });
});

describe('a process with a team', () => {
  const script = fileURLToPath(new URL('../test/team-alone.ts', import.meta.url));
  const outputOf = async (end: string): Promise<string> => (await promisify(execFile)(process.execPath, [script, end])).stdout;

  it.each([['closed', 'did 20 jobs, closed\n'], ['left', 'did 20 jobs\n']])('ends by itself when the team is %s', async (end, expected) => {
    expect(await outputOf(end)).toBe(expected);
  });

  it('ends when a thread is lost', async () => {
    await expect(outputOf('lost')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('injected: this thread can not start') as string });
  });
});
