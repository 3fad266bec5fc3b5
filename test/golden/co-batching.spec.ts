import { afterAll, describe, expect, it } from 'vitest';
import { type ExpertGroup } from '@essaim/dispatch';
import { temporaryCache } from './compiled.ts';
import { greedyRequest, tokensOf } from './generate.ts';
import { startTiny, tinyVector } from './tiny-cluster.ts';

/** Five leads, one of them with all the experts: what they ask of it at the same time is run once for all of them. */

const { promptIds, greedyIds } = tinyVector;
const compiled = temporaryCache();
afterAll(compiled.remove);

const LEADS = 5;

async function expertRunsFor(leads: number, deterministic: boolean): Promise<{ readonly runs: number; readonly rows: number; readonly answers: readonly number[][] }> {
  const groups: ExpertGroup[] = [];
  await using cluster = await startTiny({ cache: compiled.cache, deterministic, workers: LEADS, hosts: 1, onExperts: (_worker, _layer, ofRun) => groups.push(...ofRun) });
  const answers = await Promise.all(cluster.workers.slice(0, leads).map(({ engine }) => tokensOf(engine, greedyRequest(promptIds, greedyIds.length))));
  return { runs: groups.length, rows: groups.reduce((sum, { activations }) => sum + activations.length / cluster.spec.hiddenSize, 0), answers };
}

describe('leads that share an expert worker', () => {
  it.each([true, false])('have its experts run for them together, and say what each says alone (deterministic: %s)', async (deterministic) => {
    const [alone, together] = [await expertRunsFor(1, deterministic), await expertRunsFor(LEADS, deterministic)];
    expect(together.answers).toEqual(new Array(LEADS).fill(greedyIds));
    expect(alone.answers).toEqual([greedyIds]);
    expect(together.rows).toBe(LEADS * alone.rows);
    // One of them may always find the worker idle and run by itself; the others then run together.
    expect(together.runs).toBeLessThan(3 * alone.runs);
  });
});
