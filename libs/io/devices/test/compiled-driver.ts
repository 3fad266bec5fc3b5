import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CompiledDriver {
  /** Where its files go. */
  readonly folder: string;
  /** Of its files. */
  readonly name: string;
  /** C, beside this file. */
  readonly source: string;
  /** What its preprocessor is told, strings in quotation marks. */
  readonly defined: Readonly<Record<string, string | number>>;
  /** Of Vulkan, as it tells the loader. */
  readonly apiVersion: string;
}

/** Compiles a Vulkan driver that stands in front of another one. Returns its description for Vulkan's loader, a file; null without a C compiler, but in CI, where that is an error. */
export function compileDriver({ folder, name, source, defined, apiVersion }: CompiledDriver): string | null {
  const [library, description] = [join(folder, `${name}.so`), join(folder, `${name}.json`)];
  const options = Object.entries(defined).map(([key, value]) => `-D${key}=${typeof value === 'string' ? `"${value}"` : value}`);
  try {
    execFileSync('cc', ['-shared', '-fPIC', ...options, '-o', library, join(import.meta.dirname, source), '-ldl'], { stdio: 'ignore' });
  } catch {
    if (process.env['CI'] !== undefined) throw new Error('no C compiler: CI needs one that is called cc');
    return null;
  }
  writeFileSync(description, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: apiVersion } }));
  return description;
}
