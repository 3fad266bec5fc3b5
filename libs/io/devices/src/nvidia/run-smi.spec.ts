import { expect, it } from 'vitest';
import { runSmi } from './run-smi.ts';

/** Any program can stand for one that NVIDIA wrote. */
const running = (script: string, patienceMs = 10_000): Promise<string> => runSmi(['-e', script], { command: process.execPath, patienceMs });

it('gives what is printed', async () => expect(await running('console.log("GPU0"); console.error("a warning")')).toContain('GPU0\n'));

it('tells the first line of an error', async () => {
  await expect(running('console.log("NVIDIA-SMI has failed\\nbecause it could not"); process.exit(9)')).rejects.toMatchObject({ code: 'unavailable', message: 'nvidia-smi says: NVIDIA-SMI has failed' });
});

it('tells how a silent error ended', async () => {
  await expect(running('process.exit(9)')).rejects.toMatchObject({ message: 'nvidia-smi says: exit code 9' });
});

it('does not wait for a driver that hangs', async () => {
  await expect(running('setInterval(() => undefined, 1e6)', 300)).rejects.toMatchObject({ code: 'deadline_exceeded', message: expect.stringContaining('did not answer within 0.3 s') });
});

it('says that none is installed', async () => {
  await expect(runSmi(['-L'], { command: '/nowhere/nvidia-smi' })).rejects.toMatchObject({ code: 'not_found' });
});
