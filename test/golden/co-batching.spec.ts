import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type ExpertGroup } from '@essaim/dispatch';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Five leads whose experts are all on the first of them, which takes longer than they do: what they ask meanwhile is run once for all of them. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
afterAll(compiled.remove);

const LEADS = 5;
/** Turns of the event loop that a run of experts takes, more than a lead needs from one routed layer to the next. */
const SLOW_TURNS = 40;

interface Outcome {
  /** Experts that ran, each time they did. */
  readonly runs: number;
  /** Rows that they ran over. */
  readonly rows: number;
  readonly answers: readonly number[][];
}

async function answersOf(leads: number, deterministic: boolean): Promise<Outcome> {
  const groups: ExpertGroup[] = [];
  const onExperts = async (_worker: unknown, _layer: number, ofRun: readonly ExpertGroup[]): Promise<void> => {
    groups.push(...ofRun);
    for (let turns = 0; turns < SLOW_TURNS; turns++) await turn();
  };
  await using cluster = await startTiny({ cache: compiled.cache, deterministic, workers: LEADS, hosts: 1, onExperts });
  const answers = await Promise.all(cluster.workers.slice(0, leads).map(({ engine }) => tokensOf(engine, greedyRequest(promptIds, greedyIds.length))));
  return { runs: groups.length, rows: groups.reduce((sum, { activations }) => sum + activations.length / cluster.spec.hiddenSize, 0), answers };
}

describe('leads that share a busy expert worker', () => {
  it.each([true, false])('have its experts run for several of them at a time, and say what each says alone (deterministic: %s)', async (deterministic) => {
    const [alone, together] = [await answersOf(1, deterministic), await answersOf(LEADS, deterministic)];
    expect(together.answers).toEqual(new Array(LEADS).fill(greedyIds));
    expect(alone.answers).toEqual([greedyIds]);
    expect(together.rows).toBe(LEADS * alone.rows);
    expect(together.runs).toBeLessThan(3 * alone.runs);
  });
});
