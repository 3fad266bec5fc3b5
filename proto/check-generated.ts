/** Fails when committed generated code is not what proto/ says now. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, REPOSITORY } from './generate.ts';

const GENERATED_NAME = /_pb\.ts$/;

function generatedFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => GENERATED_NAME.test(file) && !file.includes('node_modules'));
}

/** Generated files that differ, are missing or are left over, relative to the repository. */
function staleFiles(freshRoot: string): string[] {
  const fresh = generatedFiles(freshRoot);
  const committed = generatedFiles(join(REPOSITORY, 'libs')).map((file) => join('libs', file));
  const differs = (file: string): boolean => {
    const path = join(REPOSITORY, file);
    return !existsSync(path) || readFileSync(path, 'utf8') !== readFileSync(join(freshRoot, file), 'utf8');
  };
  return [...fresh.filter(differs), ...committed.filter((file) => !fresh.includes(file))];
}

const freshRoot = mkdtempSync(join(tmpdir(), 'essaim-proto-'));
try {
  generate(freshRoot);
  const stale = staleFiles(freshRoot);
  if (stale.length > 0) {
    console.error(`generated code is not what proto/ says (${stale.join(', ')}): run "npm run proto" and commit the result`);
    process.exitCode = 1;
  }
} finally {
  rmSync(freshRoot, { recursive: true, force: true });
}
