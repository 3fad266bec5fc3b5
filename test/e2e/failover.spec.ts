import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { eventually, processesOf, startCluster, type RunningCluster } from './harness.ts';

const REQUEST = { model: 'petit', prompt: 'Il était une fois', max_tokens: 300, temperature: 0.8, seed: 7 };
/** More than the engine emits between two looks, so that every stream is under way when the worker dies. */
const TOKENS_BEFORE = 20;

const clientOf = (cluster: RunningCluster): OpenAI => new OpenAI({ baseURL: `${cluster.ready.addresses.http}/v1`, apiKey: 'none', maxRetries: 0 });

function kill(cluster: RunningCluster, id: string, signal: NodeJS.Signals = 'SIGKILL'): void {
  process.kill(cluster.ready.workers.find((worker) => worker.id === id)!.pid, signal);
}

/** Streams one answer and calls `onChunk` with the number of chunks so far. */
async function stream(openai: OpenAI, onChunk: (count: number) => void = () => undefined): Promise<string> {
  let text = '';
  let count = 0;
  for await (const chunk of await openai.completions.create({ ...REQUEST, stream: true })) {
    text += chunk.choices[0]?.text ?? '';
    onChunk(++count);
  }
  return text;
}

describe('a worker that is killed', () => {
  it('changes no token of the streams under way where every expert has two replicas', async () => {
    await using cluster = await startCluster(['--replicas', '2', '--deterministic']);
    const openai = clientOf(cluster);
    const undisturbed = await stream(openai);
    let underWay = 0;
    // One stream per worker, so that the one that dies leads some and serves the others.
    const streams = Array.from({ length: 3 }, () =>
      stream(openai, (count) => {
        if (count === TOKENS_BEFORE && ++underWay === 3) kill(cluster, 'w3');
      }),
    );
    expect(await Promise.all(streams)).toEqual([undisturbed, undisturbed, undisturbed]);
    await eventually('the death is told', () => cluster.events.some(({ sentence }) => sentence?.startsWith('worker w3') ?? false));
  });

  it('without a second replica costs at most the answers under way: the experts move and the next request succeeds', async () => {
    await using cluster = await startCluster(['--deterministic']);
    const openai = clientOf(cluster);
    const undisturbed = await stream(openai);
    const cut = stream(openai, (count) => {
      if (count === TOKENS_BEFORE) kill(cluster, 'w2');
    }).catch((error: unknown) => error);
    const outcome = await cut;
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(OpenAI.APIError);
    else expect(outcome).toBe(undisturbed);
    await eventually('requests succeed again', async () => (await stream(openai).catch(() => null)) === undisturbed);
    const { workers } = (await (await fetch(`${cluster.ready.addresses.admin}/api/v1/workers`)).json()) as { workers: { id: string; state: string; hosted: unknown[] }[] };
    const alive = workers.filter(({ state }) => state === 'ready');
    expect(alive.map(({ id }) => id).sort()).toEqual(['w1', 'w3']);
    expect(alive.reduce((sum, { hosted }) => sum + hosted.length, 0)).toBe(48);
  });
});

describe('a worker that is asked to stop', () => {
  it('hands its experts over before it goes: no answer is cut, changed or refused, although every expert has one replica only', async () => {
    await using cluster = await startCluster(['--deterministic']);
    const openai = clientOf(cluster);
    const undisturbed = await stream(openai);
    let underWay = 0;
    const streams = Array.from({ length: 3 }, () =>
      stream(openai, (count) => {
        if (count === TOKENS_BEFORE && ++underWay === 3) kill(cluster, 'w2', 'SIGTERM');
      }),
    );
    expect(await Promise.all(streams)).toEqual([undisturbed, undisturbed, undisturbed]);
    await eventually('it is gone', () => cluster.events.some(({ sentence }) => sentence?.startsWith('worker w2') ?? false));
    expect(await stream(openai)).toBe(undisturbed);
  });
});

describe('a command line that is killed', () => {
  it('leaves no process behind', async () => {
    await using cluster = await startCluster(['--workers', '2']);
    await cluster.stop('SIGKILL');
    await eventually('every process has ended', () => processesOf(cluster.stateDir).length === 0);
  });

  it('by Ctrl-C drains, tells so and ends with 0', async () => {
    await using cluster = await startCluster(['--workers', '2']);
    const { code } = await cluster.stop('SIGINT');
    expect(code).toBe(0);
    expect(cluster.events.at(-1)?.sentence).toMatch(/^draining/);
    expect(processesOf(cluster.stateDir)).toEqual([]);
  });
});

describe('a control plane that is killed', () => {
  it('stops the whole cluster with a sentence, instead of serving what nobody watches', async () => {
    await using cluster = await startCluster(['--workers', '2']);
    const { pid } = cluster.ready.processes.find(({ name }) => name === 'control-plane')!;
    process.kill(pid, 'SIGKILL');
    const { code, stderr } = await cluster.ended;
    expect(stderr).toMatch(/control-plane .*ended unexpectedly \(killed by SIGKILL\)/);
    expect(code).toBe(1);
    expect(processesOf(cluster.stateDir)).toEqual([]);
  });
});
