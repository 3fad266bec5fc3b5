import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../package-root.ts';
import { upCommand } from './up.ts';

const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
const options = upCommand().options;

it.each(options.map((option) => [option.long!, option] as const))('%s is in the README, and so is its variable where it follows no rule', (flag, { envVar, required }) => {
  expect(readme).toContain(`\`${flag}`);
  const byRule = `ESSAIM_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
  if (required) expect(envVar === byRule || readme.includes(`\`${envVar}\``)).toBe(true);
});
