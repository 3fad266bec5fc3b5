import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLI, runToEnd, startCluster, temporaryFolder } from './harness.ts';

/** No model and no sentence of ours has this word. */
const SECRET = 'Zyzzyxanthe';

describe('what a cluster leaves on a machine', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is nothing outside its state folder, whatever that is called', async () => {
    const places = ['home', 'work', 'tmp', 'cache', 'config', 'data', 'state'].map((name) => join(folder, name));
    for (const place of places) mkdirSync(place);
    const [HOME, cwd, TMPDIR, XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME] = places as [string, string, string, string, string, string, string];
    const stateDir = join(folder, "l'état d'essai");
    // Some libraries report home only where nobody tests: without CI, as with a user.
    const args = [CLI, 'up', '--state-dir', stateDir, '--workers', '2', '--prompt', 'Il était', '--max-tokens', '4'];
    const { code } = await runToEnd(process.execPath, args, { cwd, env: { HOME, TMPDIR, XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, CI: undefined } });
    expect(code).toBe(0);
    expect(places.flatMap((place) => readdirSync(place))).toEqual([]);
    expect(readdirSync(stateDir)).toEqual(['cache', 'runs']);
  });

  it('holds no word of a client in logs and metrics, and keys that only its owner reads', async () => {
    await using cluster = await startCluster(['--workers', '2']);
    const { http } = cluster.ready.addresses;
    const post = (path: string, body: object): Promise<Response> => fetch(`${http}/v1/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}` }, body: JSON.stringify(body) });
    const statuses = [
      await post('completions', { model: 'petit', prompt: SECRET, max_tokens: 3 }),
      await post('chat/completions', { model: 'petit', messages: [{ role: 'user', content: SECRET }], max_tokens: 3, user: SECRET }),
      await post('completions', { model: SECRET, prompt: SECRET }),
      await post('completions', { model: 'petit', prompt: `${SECRET} `.repeat(2_000) }),
      await post(SECRET, {}),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 404, 400, 404]);
    expect(await (await fetch(`${http}/metrics`)).text()).not.toContain(SECRET);
    const logs = readdirSync(join(cluster.stateDir, 'logs')).map((file) => readFileSync(join(cluster.stateDir, 'logs', file), 'utf8'));
    expect(logs).toHaveLength(4);
    expect(logs.join('')).not.toContain(SECRET);
    for (const line of logs.join('').trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), time: expect.any(String), component: expect.any(String) });
    const tls = join(cluster.stateDir, 'tls');
    const keys = readdirSync(tls).filter((file) => file.endsWith('.key'));
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(statSync(join(tls, key)).mode & 0o777).toBe(0o600);
    for (const private_ of [cluster.stateDir, tls, join(cluster.stateDir, 'logs')]) expect(statSync(private_).mode & 0o077).toBe(0);
  });
});
