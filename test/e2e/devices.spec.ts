import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lavapipe } from '../../libs/io/devices/test/lavapipe.ts';
import { softwareAdapter } from '../../libs/io/devices/test/software-adapter.ts';
import { essaim, temporaryFolder } from './harness.ts';

const SOFTWARE = softwareAdapter();
/** Whichever software adapter is faster. */
const QUICK = lavapipe()?.environment ?? SOFTWARE;
const NO_DRIVERS = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' };

it('essaim devices lists what this machine offers, and why not more, in the bundle too', async () => {
  const { code, stdout, stderr } = await essaim(['devices', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const { devices, unusable } = JSON.parse(stdout) as { readonly devices: readonly { readonly provider: string }[]; readonly unusable: readonly { readonly provider: string; readonly reason: string }[] };
  expect(new Set([...devices, ...unusable].map(({ provider }) => provider))).toEqual(new Set(['cpu', 'webgpu', 'cuda', 'tensorrt']));
  expect(devices[0]).toMatchObject({ provider: 'cpu', fault: null });
});

it('essaim bench gpu says that there is no card where there is none, and writes an empty table', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'figures.json');
  // A driver that is not there, and a path without NVIDIA's program: a host without a card.
  const { code, stdout } = await essaim(['bench', 'gpu', '--device', 'auto', '--json', file], { ...NO_DRIVERS, PATH: folder });
  expect([code, stdout]).toEqual([0, expect.stringMatching(/There is no card to measure here: this host computes on cpu \(.*\); not cuda: .*; not webgpu: .*\.\n$/)]);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ benchmark: 'gpu', device: null, rows: [], models: [], omissions: [] });
  rmSync(folder, { recursive: true });
});

it.skipIf(QUICK === null)('essaim bench gpu measures a model on an adapter that is named, and says of one on the processor that its figures mean nothing', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'figures.json');
  const { code, stdout } = await essaim(['bench', 'gpu', '--device', 'webgpu', '--model', 'built-in', '--rows', 'decode-1', '--forms', 'int4', '--rounds', '1', '--beside', 'transformers', '--python', join(folder, 'no-python'), '--state-dir', folder, '--json', file], QUICK!);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/webgpu:0: (llvmpipe|SwiftShader).*software adapter: figures mean nothing/)]);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    device: { provider: 'webgpu' },
    models: [{ model: 'built-in', engine: 'essaim', form: 'int4', name: 'decode-1', unit: 'tokens/s' }],
    omissions: [{ model: 'built-in', engine: 'transformers', form: 'int4', name: null, kind: 'refused', reason: expect.stringMatching(/no-python\) could not be started/) }],
  });
  rmSync(folder, { recursive: true });
}, 120_000);

it('essaim bench gpu refuses a device that is none', async () => {
  expect(await essaim(['bench', 'gpu', '--device', 'gpu'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining("'gpu' is no device") });
});

it.skipIf(SOFTWARE === null)('essaim bench gpu leaves out what an adapter can\'t compute, and says why', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'figures.json');
  expect(await essaim(['bench', 'gpu', '--device', 'webgpu', '--model', 'built-in', '--rows', 'decode-1', '--forms', 'f16', '--rounds', '1', '--beside', 'none', '--state-dir', folder, '--json', file], SOFTWARE!)).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ models: [], omissions: [{ model: 'built-in', engine: 'essaim', form: 'f16', name: null, kind: 'refused', reason: expect.stringContaining('does not compute in float16') }] });
  rmSync(folder, { recursive: true });
});

it.skipIf(QUICK === null)('a worker on WebGPU answers as one on the processor does', async () => {
  const folder = temporaryFolder();
  const answer = async (flags: readonly string[]): Promise<string> => {
    const { code, stdout } = await essaim(['up', '--state-dir', folder, '--workers', '1', '--prompt', 'Il était une fois', '--max-tokens', '8', '--quiet', ...flags], QUICK!);
    expect(code).toBe(0);
    return stdout;
  };
  expect(await answer(['--device', 'webgpu'])).toBe(await answer([]));
  rmSync(folder, { recursive: true });
});

it.skipIf(SOFTWARE === null)('what a device has no room for is refused in one sentence, before it is loaded', async () => {
  const folder = temporaryFolder();
  // SwiftShader says that it has 2 GiB.
  const { code, stdout, stderr } = await essaim(['up', '--state-dir', folder, '--workers', '1', '--device', 'webgpu', '--kv-memory', '1500', '--prompt', 'Il était', '--quiet'], SOFTWARE!);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^essaim: a worker on webgpu:0 needs 4\.\d GB \([^\n]+\) and has 1\.8 GB for them: choose a smaller --kv-memory, [^\n]+\n$/)]);
  rmSync(folder, { recursive: true });
});

it.skipIf(SOFTWARE === null)('a device without float16 is refused where that is asked for', async () => {
  const folder = temporaryFolder();
  const { code, stdout, stderr } = await essaim(['up', '--state-dir', folder, '--workers', '1', '--device', 'webgpu', '--compute-dtype', 'f16', '--prompt', 'Il était', '--quiet'], SOFTWARE!);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^essaim: the device webgpu:0 \(SwiftShader[^\n]*\) does not compute in float16: leave out --compute-dtype f16[^\n]+\n$/)]);
  rmSync(folder, { recursive: true });
});

it('a device that is not there is refused with the reason before anything starts', async () => {
  const folder = temporaryFolder();
  const { code, stdout, stderr } = await essaim(['up', '--state-dir', folder, '--device', 'webgpu'], NO_DRIVERS);
  expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^essaim: there is no device webgpu:0 here: [^\n]+\n$/)]);
  rmSync(folder, { recursive: true });
});
