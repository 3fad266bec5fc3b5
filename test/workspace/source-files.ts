import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

export const ROOT = resolve(import.meta.dirname, '../..');

/** Every TypeScript file of the workspace with the files of the workspace that it imports, types included: they are loaded all the same. */
export function readImports(): ReadonlyMap<string, readonly string[]> {
  const files = globSync('{apps,libs,proto,deploy,test}/**/*.ts', { cwd: ROOT, exclude: (path) => /^(node_modules|dist)$/.test(path) });
  const packages = readPackages();
  return new Map(files.map((file) => [file, importsOf(file, packages)]));
}

interface Package {
  readonly name: string;
  readonly exports?: string | Readonly<Record<string, string>>;
}

/** Entry file of every specifier that a package of the workspace offers: '@essaim/auth/identity' -> 'libs/ops/auth/src/identity.ts'. */
function readPackages(): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const manifest of globSync('{apps,libs}/{*,*/*}/package.json', { cwd: ROOT })) {
    const { name, exports = {} } = JSON.parse(readFileSync(join(ROOT, manifest), 'utf8')) as Package;
    for (const [subpath, file] of Object.entries(typeof exports === 'string' ? { '.': exports } : exports)) {
      entries.set(join(name, subpath), join(dirname(manifest), file));
    }
  }
  return entries;
}

function importsOf(file: string, packages: ReadonlyMap<string, string>): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'));
  return importedFiles.flatMap(({ fileName }) => (fileName.startsWith('.') ? join(dirname(file), fileName) : (packages.get(fileName) ?? [])));
}
