import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { essaim, eventually, processesOf, type Result, type RunningCluster, runToEnd, startCluster, temporaryFolder, workersOf } from './harness.ts';

const WORKER = join(import.meta.dirname, '..', '..', 'dist', 'worker', 'main.js');
/** Two workers of 24 experts each: 21.2 MB of these, 11.9 MB of other weights, 12.5 MB for a step, and 8.4 MB for keys and values where they are told `SOME_KV`. */
const TWO_WORKERS = ['--workers', '2', '--threads-per-worker', '1'];
const SOME_KV = ['--kv-memory', '8'];

describe('two workers whose memory is just enough for the model', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const answer = (flags: readonly string[]): Promise<Result> => essaim(['up', '--state-dir', folder, '--prompt', 'Il', '--max-tokens', '4', '--quiet', ...TWO_WORKERS, ...flags]);

  it('answer', async () => {
    expect(await answer([...SOME_KV, '--worker-memory', '52'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/\w/), stderr: '' });
  });

  it('are refused with a MiB less, in one sentence that says how many more would do, or which flags', async () => {
    const { code, stdout, stderr } = await answer([...SOME_KV, '--worker-memory', '51']);
    expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^essaim: 1 copy of 6 x 8 experts makes 48, and the 2 live workers have room for 46 [^\n]*; 1\.8 MB are missing for 2 of 0\.9 MB each: start 1 more like them, or lower --kv-memory to 7, or choose a smaller --dtype such as int4\n$/)]);
    expect(processesOf(folder)).toEqual([]);
  });

  it('do with the flag that the sentence names', async () => {
    expect(await answer(['--worker-memory', '51', '--kv-memory', '7'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('do without it where nobody asked for so much: a quarter would be 12 MiB', async () => {
    expect(await answer(['--worker-memory', '51'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a worker that is started by hand', () => {
  let cluster: RunningCluster;
  beforeAll(async () => void (cluster = await startCluster([...TWO_WORKERS, ...SOME_KV])));
  afterAll(() => cluster[Symbol.asyncDispose]());

  /** With the variables of one that is there, but for these. */
  const start = (changes: Readonly<Record<string, string>>): Promise<Result> => {
    const variables = readFileSync(`/proc/${cluster.ready.workers[0]!.pid}/environ`, 'utf8').split('\0').map((line) => line.split('=', 2) as [string, string]);
    const told = { ...Object.fromEntries(variables), ESSAIM_WORKER_ID: 'w9', ESSAIM_CONTROL_ADDRESS: cluster.ready.addresses.control, ...changes };
    return runToEnd(process.execPath, [WORKER], { env: { ...told, NODE_CHANNEL_FD: undefined, ESSAIM_EXPECTED_WORKERS: undefined } });
  };

  it('with keys and values in another form is refused in a sentence, and ends', async () => {
    const { code, stdout, stderr } = await start({ ESSAIM_KV_DTYPE: 'bf16' });
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining('worker w9 keeps keys and values as bf16 and multiplies in f32, where w1 keeps keys and values as f32 and multiplies in f32: start it with the same --kv-dtype')]);
    expect((await workersOf(cluster)).map(({ id }) => id)).toEqual(['w1', 'w2']);
  });

  it('learns what the cluster serves, joins, has its share of the experts, and leaves when told to', async () => {
    const ended = start({});
    await eventually('w9 holds a third of the experts', async () => (await workersOf(cluster)).some(({ id, state, hosted }) => id === 'w9' && state === 'ready' && hosted.length === 16));
    process.kill((await workersOf(cluster)).find(({ id }) => id === 'w9')!.pid, 'SIGTERM');
    expect((await ended).code).toBe(0);
    expect((await workersOf(cluster)).map(({ id, hosted }) => [id, hosted.length])).toEqual([['w1', 24], ['w2', 24]]);
  });
});
