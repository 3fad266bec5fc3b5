import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type ExpertGroup } from '@essaim/dispatch';
import { type Device } from '@essaim/runtime';
import { temporaryCache } from './compiled.ts';
import { float16Device } from './device.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Leads whose experts are all on the first worker, which takes longer than they do: what they ask meanwhile is run once for all of them. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
afterAll(compiled.remove);

const WORKERS = 5;
const DEVICE = float16Device();
/** Turns of the event loop that a run of experts takes, more than a lead needs from one routed layer to the next. */
const SLOW_TURNS = 40;

interface Outcome {
  /** Experts that ran, each time they did. */
  readonly runs: number;
  /** Rows that they ran over. */
  readonly rows: number;
  readonly answers: readonly number[][];
}

interface Leads {
  /** How many lead, the last workers first. */
  readonly leads: number;
  readonly deterministic: boolean;
  /** What the first worker computes on, the others on the processor. Default: likewise. */
  readonly device?: Device;
}

async function answersOf({ leads, deterministic, device }: Leads): Promise<Outcome> {
  const groups: ExpertGroup[] = [];
  const onExperts = async (_worker: unknown, _layer: number, ofRun: readonly ExpertGroup[]): Promise<void> => {
    groups.push(...ofRun);
    for (let turns = 0; turns < SLOW_TURNS; turns++) await turn();
  };
  await using cluster = await startTiny({ cache: compiled.cache, deterministic, workers: WORKERS, hosts: 1, onExperts, ...(device === undefined ? {} : { devices: [device] }) });
  const answers = await Promise.all(cluster.workers.slice(-leads).map(({ engine }) => tokensOf(engine, greedyRequest(promptIds, greedyIds.length))));
  return { runs: groups.length, rows: groups.reduce((sum, { activations }) => sum + activations.length / cluster.spec.hiddenSize, 0), answers };
}

async function assertJoined({ leads, ...others }: Leads): Promise<void> {
  const [alone, together] = [await answersOf({ ...others, leads: 1 }), await answersOf({ ...others, leads })];
  expect(together.answers).toEqual(new Array(leads).fill(greedyIds));
  expect(alone.answers).toEqual([greedyIds]);
  expect(together.rows).toBe(leads * alone.rows);
  expect(together.runs).toBeLessThan(0.6 * leads * alone.runs);
}

describe('leads that share a busy expert worker', () => {
  it.each([true, false])('have its experts run for several of them at a time, and say what each says alone (deterministic: %s)', (deterministic) => assertJoined({ leads: WORKERS, deterministic }));

  // The device's own lead runs its experts with the rest of a layer, and so joins nobody.
  it.skipIf(DEVICE === null)('have them do so on a device, too (skipped without lavapipe)', () => assertJoined({ leads: WORKERS - 1, deterministic: false, device: DEVICE! }));
});
