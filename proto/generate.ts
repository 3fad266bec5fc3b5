/** Writes the code generated from proto/ to where it is committed, or under another root to compare (check-generated.ts). */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..');

/** One buf module and its template each: what goes over the network, and what goes into model files. */
const MODULES = [
  { folder: '.', template: 'buf.gen.yaml' },
  { folder: 'proto/onnx', template: 'proto/onnx/buf.gen.yaml' },
];

export function generate(outputRoot: string): void {
  const bin = join(REPOSITORY, 'node_modules', '.bin');
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
  for (const { folder, template } of MODULES) {
    execFileSync(join(bin, 'buf'), ['generate', folder, '--template', template, '--output', outputRoot], { cwd: REPOSITORY, env, stdio: 'inherit' });
  }
}

if (import.meta.main) generate(REPOSITORY);
