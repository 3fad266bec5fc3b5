import { expect, it } from 'vitest';
import { program } from './program.ts';

it('tells its version', async () => {
  let told = '';
  const essaim = program().configureOutput({ writeOut: (text) => (told += text) });
  await expect(essaim.parseAsync(['--version'], { from: 'user' })).rejects.toMatchObject({ exitCode: 0 });
  expect(told).toMatch(/^\d+\.\d+\.\d+\n$/);
});
