import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, truncateSync, writeFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, essaim, FREE_PORTS, PETIT, processesOf, startCluster, temporaryFolder } from './harness.ts';

describe('what essaim refuses: one sentence, an exit code, nothing left running', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function refused(flags: readonly string[], exitCode: number, env: Record<string, string> = {}): Promise<string> {
    const stateDir = join(folder, 'state');
    const { code, stdout, stderr } = await essaim(['up', '--state-dir', stateDir, ...flags], env);
    expect(stderr.trimEnd().split('\n').filter((line) => line.startsWith('essaim: '))).toHaveLength(1);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stdout).toBe('');
    expect(code).toBe(exitCode);
    expect(processesOf(folder)).toEqual([]);
    return stderr.trimEnd();
  }

  it.each([
    ['an unknown flag', ['--modle', 'x'], /unknown option '--modle'/],
    ['no workers', ['--workers', '0'], /whole number from 1 to 64/],
    ['a port that is none', ['--http-port', '70000'], /whole number from 0 to 65535/],
    ['an unknown form of weights', ['--dtype', 'int3'], /float32, int8, int4/],
    ['an unknown form of activations', ['--wire-dtype', 'f8'], /f32, f16, bf16, int8/],
    ['more answers in a step than it has room for', ['--running-sequences', '129'], /whole number from 1 to 128/],
    ['a temperature below zero', ['--temperature', '-1'], /from 0 to 2/],
    ['more replicas than workers', ['--workers', '2', '--replicas', '3'], /--replicas 3 needs as many workers/],
    ['more memory for keys and values than there is', ['--kv-memory', '1000000000'], /--kv-memory 1000000000 is more than the \d+ MiB that each of 3 workers may take/],
    ['a device that is none', ['--devices', 'webgpu:0,gpu'], /'gpu' is no device: give auto, cpu, or webgpu, cuda, tensorrt/],
    ['one port for two services', ['--http-port', '9000', '--grpc-port', '9000'], /--http-port and --grpc-port are both 9000/],
    ['a stray word', ['petit'], /too many arguments/],
  ])('%s', async (_, flags, sentence) => {
    expect(await refused(flags, 2)).toMatch(sentence);
  });

  it('nobody who stops reading', async () => {
    const child = spawn(process.execPath, [CLI, 'up', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('a bad value in the environment, named with its variable', async () => {
    expect(await refused([], 2, { ESSAIM_WORKERS: 'many' })).toMatch(/ESSAIM_WORKERS/);
  });

  it('a folder that is not there', async () => {
    expect(await refused(['--model', join(folder, 'nowhere')], 1)).toMatch(/nowhere does not exist/);
  });

  it('a folder without a checkpoint', async () => {
    expect(await refused(['--model', folder], 1)).toMatch(/holds no checkpoint that Essaim reads: name a folder with config\.json/);
  });

  it('a config.json that is cut off', async () => {
    const model = join(folder, 'cut-config');
    mkdirSync(model);
    writeFileSync(join(model, 'config.json'), '{ "architectures": [');
    expect(await refused(['--model', model], 1)).toMatch(/config\.json is damaged: it is not valid JSON/);
  });

  it('an architecture that nobody here knows', async () => {
    const model = join(folder, 'unknown-architecture');
    mkdirSync(model);
    writeFileSync(join(model, 'config.json'), JSON.stringify({ architectures: ['TotallyNewForCausalLM'], model_type: 'new' }));
    expect(await refused(['--model', model, '--prompt', 'x'], 1)).toMatch(/TotallyNewForCausalLM/);
  });

  it('a checkpoint whose weights are cut off', async () => {
    const model = join(folder, 'cut-weights');
    mkdirSync(model);
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']) copyFileSync(join(PETIT, file), join(model, file));
    truncateSync(join(model, 'model.safetensors'), 20_000_000);
    expect(await refused(['--model', model, '--prompt', 'x', '--quiet'], 1)).toMatch(/model\.safetensors/);
  });

  it('a checkpoint without its tokenizer, before its weights are loaded', async () => {
    const model = join(folder, 'no-tokenizer');
    mkdirSync(model);
    for (const file of ['config.json', 'model.safetensors']) copyFileSync(join(PETIT, file), join(model, file));
    expect(await refused(['--model', model, '--prompt', 'x', '--quiet'], 1)).toMatch(/no-tokenizer has no tokenizer\.json/);
  });

  it('a state folder that is a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await essaim(['up', '--state-dir', file, '--prompt', 'x']);
    expect(stderr).toBe(`essaim: the state folder ${file} can't be written (ENOTDIR): give --state-dir a folder of yours\n`);
    expect(code).toBe(1);
  });

  it.each(['http', 'grpc', 'admin', 'control'])('a port for %s that is taken, by name', async (name) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await refused([...FREE_PORTS, `--${name}-port`, String(port)], 1)).toMatch(new RegExp(`port 127\\.0\\.0\\.1:${port} is taken: give --${name}-port`));
    server.close();
  });

  it('a second cluster in the same state folder, and the first goes on', async () => {
    await using cluster = await startCluster(['--workers', '1']);
    const { code, stderr } = await essaim(['up', '--state-dir', cluster.stateDir, '--http-port', '0', '--grpc-port', '0', '--admin-port', '0', '--control-port', '0']);
    expect(stderr).toMatch(new RegExp(`pid ${cluster.pid}\\) already runs`));
    expect(code).toBe(1);
    expect((await fetch(`${cluster.ready.addresses.http}/readyz`)).status).toBe(200);
  });
});
