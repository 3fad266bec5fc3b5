import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { essaim, processesOf, startCluster, temporaryFolder } from './harness.ts';

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
});
