/**
 * Bundles every app into dist/<app>/. Our own packages are bundled from source; npm packages stay imports, so that
 * their native files and licences stay where npm put them. A file named *.thread.ts or *.process.ts is the entry of a thread or
 * of a process of its own.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const APPS = ['cli', 'control-plane', 'gateway', 'worker'];

interface Entry {
  readonly in: string;
  readonly out: string;
}

function entriesOf(app: string): Entry[] {
  const folder = join(ROOT, 'apps', app, 'src');
  const main = join(folder, 'main.ts');
  if (!existsSync(main)) throw new Error(`apps/${app}/src/main.ts is missing: every app needs an entry`);
  const others = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(thread|process)\.ts$/.test(file));
  return [main, ...others.map((file) => join(folder, file))].map((file) => ({ in: file, out: join(app, basename(file, '.ts')) }));
}

const npmPackagesStayImports: Plugin = {
  name: 'npm-packages-stay-imports',
  setup(context) {
    context.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith('@essaim/') ? undefined : { path, external: true },
    );
  },
};

try {
  await build({
    absWorkingDir: ROOT,
    entryPoints: APPS.flatMap(entriesOf),
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    tsconfig: 'tsconfig.json',
    sourcemap: 'linked',
    logLevel: 'error',
    plugins: [npmPackagesStayImports],
  });
} catch (error) {
  // esbuild has already printed its own errors, with file and line.
  if (!(error instanceof Error && 'errors' in error)) console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
