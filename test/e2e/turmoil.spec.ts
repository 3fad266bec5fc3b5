import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { eventually, startCluster, workersOf, type RunningCluster } from './harness.ts';

const REQUEST = { model: 'petit', prompt: 'Il était une fois', max_tokens: 120, temperature: 0.8, seed: 7 };
const STREAMS = 10;
/** More than the engine emits between two looks, so that every stream is under way when something happens. */
const TOKENS_BEFORE = 20;

function signal(cluster: RunningCluster, id: string, name: NodeJS.Signals): void {
  process.kill(cluster.ready.workers.find((worker) => worker.id === id)!.pid, name);
}

async function stream(cluster: RunningCluster, onChunk: (count: number) => void = () => undefined): Promise<string> {
  const openai = new OpenAI({ baseURL: `${cluster.ready.addresses.http}/v1`, apiKey: 'none', maxRetries: 0 });
  let [text, count] = ['', 0];
  for await (const chunk of await openai.completions.create({ ...REQUEST, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
    onChunk(++count);
  }
  return text;
}

/** Ten streams at once; `happen` runs when all of them are under way. */
async function streamsThrough(cluster: RunningCluster, happen: () => void): Promise<PromiseSettledResult<string>[]> {
  let underWay = 0;
  const streams = Array.from({ length: STREAMS }, () => stream(cluster, (count) => {
    if (count === TOKENS_BEFORE && ++underWay === STREAMS) happen();
  }));
  return Promise.allSettled(streams);
}

const ten = (value: string): PromiseSettledResult<string>[] => Array.from({ length: STREAMS }, () => ({ status: 'fulfilled', value }));

/** Nothing runs, and no memory is held for what ran. */
async function eventuallyIdle(cluster: RunningCluster): Promise<void> {
  await eventually('every worker is idle', async () => (await workersOf(cluster)).every(({ runningSequences, waitingSequences, kvUsedBytes }) => runningSequences + waitingSequences + kvUsedBytes === 0));
}

describe('ten streams', () => {
  it('lose no token when two workers die at once and every expert has three replicas', async () => {
    await using cluster = await startCluster(['--workers', '4', '--replicas', '3', '--deterministic']);
    const undisturbed = await stream(cluster);
    const outcomes = await streamsThrough(cluster, () => ['w2', 'w3'].forEach((id) => signal(cluster, id, 'SIGKILL')));
    expect(outcomes).toEqual(ten(undisturbed));
    await eventuallyIdle(cluster);
  });

  it('end whole or with an error that says to try again when a worker dies and its experts have no replica; ten more succeed', async () => {
    await using cluster = await startCluster(['--deterministic']);
    const undisturbed = await stream(cluster);
    const outcomes = await streamsThrough(cluster, () => signal(cluster, 'w2', 'SIGKILL'));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') expect(outcome.value).toBe(undisturbed);
      else expect(outcome.reason).toMatchObject({ code: 'service_unavailable' });
    }
    await eventually('requests succeed again', async () => (await stream(cluster).catch(() => null)) === undisturbed);
    expect(await streamsThrough(cluster, () => undefined)).toEqual(ten(undisturbed));
    await eventuallyIdle(cluster);
  });

  it('lose no token when a worker hangs for longer than its lease, and it serves again when it goes on', async () => {
    await using cluster = await startCluster(['--replicas', '2', '--deterministic']);
    const undisturbed = await stream(cluster);
    const stateOf = async (id: string): Promise<string | undefined> => (await workersOf(cluster)).find((worker) => worker.id === id)?.state;
    try {
      expect(await streamsThrough(cluster, () => signal(cluster, 'w2', 'SIGSTOP'))).toEqual(ten(undisturbed));
      await eventually('the worker is lost', async () => (await stateOf('w2')) === 'lost');
    } finally {
      signal(cluster, 'w2', 'SIGCONT');
    }
    // Under load, so that experts move back while they are called.
    await eventually('the worker is back', async () => {
      expect(await stream(cluster)).toBe(undisturbed);
      return (await stateOf('w2')) === 'ready';
    });
    expect(await streamsThrough(cluster, () => undefined)).toEqual(ten(undisturbed));
    expect((await workersOf(cluster)).map(({ id, state }) => `${id} ${state}`).sort()).toEqual(['w1 ready', 'w2 ready', 'w3 ready']);
    await eventuallyIdle(cluster);
  });
});
