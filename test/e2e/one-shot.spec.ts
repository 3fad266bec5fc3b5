import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ModelSpec, PLAIN_ROUTING } from '@essaim/core';
import { syntheticCheckpoint } from '../../apps/cli/src/bench/synthetic/checkpoint.ts';
import { SYNTHETIC_MIXTRAL } from '../../apps/cli/src/bench/synthetic/model.ts';
import { byteTokenizer } from './byte-tokenizer.ts';
import { essaim, PETIT, processesOf, startCluster, temporaryFolder } from './harness.ts';

const PROMPT = ['--prompt', 'Il était une fois', '--max-tokens', '16'];

describe('one answer through a whole cluster', () => {
  const stateDir = temporaryFolder();
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

  it('prints the text on stdout and how it was made on stderr, and leaves only the compiled model', async () => {
    const { code, stdout, stderr } = await essaim(['up', '--state-dir', stateDir, ...PROMPT]);
    expect(stderr).toMatch(/16 tokens after \d+ of prompt, [\d.]+ tokens\/s, first token after \d+ ms/);
    expect(stderr).toMatch(/\d+ of \d+ expert calls crossed between workers/);
    expect(stderr).toMatch(/led by w\d, served by w1, w2, w3/);
    expect(stdout.trim().length).toBeGreaterThan(20);
    expect(code).toBe(0);
    expect(readdirSync(join(stateDir, 'runs'))).toEqual([]);
    expect(existsSync(join(stateDir, 'lock'))).toBe(false);
    expect(processesOf(stateDir)).toEqual([]);
  });

  it('says the same on one worker, as one JSON object, beside a cluster that stays up', async () => {
    await using cluster = await startCluster(['--workers', '1']);
    const here = await essaim(['up', '--state-dir', cluster.stateDir, '--workers', '1', '--json', ...PROMPT]);
    const spread = await essaim(['up', '--state-dir', cluster.stateDir, '--workers', '2', '--json', ...PROMPT]);
    const [alone, together] = [here, spread].map(({ stdout }) => JSON.parse(stdout) as { kind: string; text: string; stats: { remoteExpertCalls: number } });
    expect(alone).toMatchObject({ kind: 'answer', completionTokens: 16, stats: { remoteExpertCalls: 0 } });
    expect(together?.text).toBe(alone?.text);
    expect(together?.stats.remoteExpertCalls).toBeGreaterThan(0);
  });

  it('draws the same from the same seed, in whichever cluster', async () => {
    const draw = async (seed: string): Promise<string> => (await essaim(['up', '--state-dir', stateDir, '--quiet', '--temperature', '0.9', '--seed', seed, ...PROMPT])).stdout;
    const [first, again, other] = [await draw('7'), await draw('7'), await draw('8')];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('says the same on a worker of one thread and on one that shares a model among two', async () => {
    const spec: ModelSpec = {
      ...SYNTHETIC_MIXTRAL, vocabSize: 8300, hiddenSize: 512, layerCount: 2, contextLength: 128,
      attention: { kind: 'gqa', headCount: 8, kvHeadCount: 2, headSize: 64, slidingWindow: null }, feedForward: { kind: 'moe', size: 1408, expertCount: 4, expertsPerToken: 2, ...PLAIN_ROUTING },
    };
    const model = await syntheticCheckpoint({ spec, seed: 1, cacheFolder: stateDir, tokenizerFolder: PETIT, shardBytes: 1 << 30, onProgress: () => undefined, signal: new AbortController().signal });
    const say = async (threads: string): Promise<string> =>
      (await essaim(['up', '--state-dir', stateDir, '--quiet', '--workers', '1', '--threads-per-worker', threads, '--dtype', 'float32', '--model', model, ...PROMPT])).stdout;
    const [whole, shared] = [await say('1'), await say('2')];
    expect(whole).not.toBe('');
    expect(shared).toBe(whole);
  });

  it('runs a dense model, which has no experts to call, without a tokenizer_config.json', async () => {
    const model = join(stateDir, 'dense');
    cpSync(join(import.meta.dirname, '..', 'golden', 'models', 'mistral-window-bf16'), model, { recursive: true });
    writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(byteTokenizer()));
    const { code, stdout, stderr } = await essaim(['up', '--state-dir', stateDir, '--workers', '2', '--model', model, ...PROMPT]);
    expect(stderr).toMatch(/weights run as int8, the form next to the floats of the checkpoint: --dtype chooses another\n/);
    expect(stderr).toMatch(/16 tokens after 18 of prompt/);
    expect(stderr).toMatch(/no expert calls: the model is dense\nled and served by w\d\n/);
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });

  it.each([
    ['deepseek-v3-yarn-groups-transformers4-bf16', /the layers that guess further tokens \(\d+ tensors, [\d.]+ MB\) are not read\n/],
    ['mistral4-yarn-mistral-layout', /weights run as int8/],
  ])('runs a model with latent attention and shared experts, in either layout: %s', async (name, note) => {
    const model = join(stateDir, name);
    cpSync(join(import.meta.dirname, '..', 'golden', 'models', name), model, { recursive: true });
    writeFileSync(join(model, 'tokenizer.json'), JSON.stringify(byteTokenizer(160)));
    const { code, stdout, stderr } = await essaim(['up', '--state-dir', stateDir, '--workers', '2', '--model', model, '--prompt', 'Once upon a time', '--max-tokens', '16']);
    expect(stderr).toMatch(note);
    expect(stderr).toMatch(/[1-9]\d* of \d+ expert calls crossed between workers/);
    expect(stdout).not.toBe('');
    expect(code).toBe(0);
  });
});
