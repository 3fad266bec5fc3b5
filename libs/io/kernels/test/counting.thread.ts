import { workerData } from 'node:worker_threads';
import { serveTeam, type TeamThreadData } from '../src/team-thread.ts';
import { type CountingSetup, CountingWork } from './counting-work.ts';

const { seat, setup } = workerData as TeamThreadData<CountingSetup>;
if (setup.failsToStart) throw new Error('injected: this thread can not start');
serveTeam(seat, (signal) => new CountingWork(setup, seat.signal.thread, signal));
