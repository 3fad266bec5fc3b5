import { describe, expect, it } from 'vitest';
import { askProbe, type ProbeOptions } from './ask-probe.ts';
import { type ProbeRequest } from './probe.ts';

const entry = (name: string): URL => new URL(`../test/${name}.process.ts`, import.meta.url);
/** Nobody's drivers: whatever this machine has. */
const NO_DRIVERS = { VK_ICD_FILENAMES: '/nowhere.json', VK_DRIVER_FILES: '/nowhere.json' };
const ask = <R extends ProbeRequest>(request: R, options: Partial<ProbeOptions> = {}): ReturnType<typeof askProbe<R>> => askProbe(request, { entry: entry('probe'), ...options });

describe('a process that is asked about devices', () => {
  it('names the first library that is not there', async () => {
    expect(await ask({ kind: 'missing-library', names: ['libc.so.6', 'libnothing.so.1', 'libnowhere.so.1'] })).toBe('libnothing.so.1');
    expect(await ask({ kind: 'missing-library', names: ['libc.so.6'] })).toBeNull();
  });

  it('says why there are no adapters', async () => {
    await expect(ask({ kind: 'adapters' }, { environment: NO_DRIVERS })).rejects.toMatchObject({ code: 'failed_precondition', message: expect.stringMatching(/is not installed$|no Vulkan driver is installed/) });
  });

  it('says why a device does not run a graph', async () => {
    await expect(ask({ kind: 'self-test', device: { provider: 'webgpu', index: 0 }, adapter: null }, { environment: NO_DRIVERS })).rejects.toMatchObject({ message: expect.stringContaining('Failed to get a WebGPU adapter') });
  });

  it('may die of a driver', async () => {
    await expect(ask({ kind: 'adapters' }, { entry: entry('crash') })).rejects.toMatchObject({ code: 'unavailable', message: 'the driver ended the process that tried it (SIGSEGV)' });
  });

  it('is not waited for for ever', async () => {
    await expect(ask({ kind: 'adapters' }, { entry: entry('hang'), patienceMs: 200 })).rejects.toMatchObject({ code: 'deadline_exceeded', message: 'the driver did not answer within 0.2 s' });
  });
});
