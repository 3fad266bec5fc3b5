/**
 * Bundles every app into dist/<app>/, npm packages included: a process that reads one file starts sooner and holds less than one that
 * looks for hundreds. A file named *.thread.ts or *.process.ts is the entry of a thread or of a process of its own; a Python file is copied beside them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, parse } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const APPS = ['cli', 'control-plane', 'gateway', 'worker'];

/** Packages that stay where npm put them: they read files beside their own, such as native libraries, WebAssembly or descriptions of services. */
const STAY = ['koffi', 'onnxruntime-node', '@grpc/reflection', '@grpc/proto-loader'];
/** Packages that other packages use where they are installed. */
const ABSENT = ['@fastify/multipart', '@fastify/static', '@fastify/view', '@nestjs/microservices', '@nestjs/platform-express', '@nestjs/websockets', 'class-transformer', 'class-validator'];

/** Of those that stay: what is read only by whoever comes to it, since it brings a large native library with it. */
const LATE = ['onnxruntime-node'];

/** What CommonJS packages expect around them, in an ES module. */
const COMMON_JS = `import { createRequire as createRequireHere } from 'node:module';
const require = createRequireHere(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

interface Entry {
  readonly in: string;
  readonly out: string;
}

function entriesOf(app: string): Entry[] {
  const folder = join(ROOT, 'apps', app, 'src');
  const main = join(folder, 'main.ts');
  if (!existsSync(main)) throw new Error(`apps/${app}/src/main.ts is missing: every app needs an entry`);
  const others = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.((thread|process)\.ts|py)$/.test(file));
  return [main, ...others.map((file) => join(folder, file))].map((file) => ({ in: file, out: join(app, parse(file).name) }));
}

/** An import statement of a package that stays would read it before anything runs, whoever needs it. */
const lateWhenUsed: Plugin = {
  name: 'late-when-used',
  setup(context) {
    context.onResolve({ filter: new RegExp(`^(${LATE.join('|')})$`) }, ({ path, kind }) => (kind === 'import-statement' ? { path, namespace: 'late' } : { path, external: true }));
    context.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: `module.exports = require('${path}');`, loader: 'js' }));
  },
};

/** Our modules define and do nothing when they are loaded, so that what an app does not use of a package is left out, with all that it imports. */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup(context) {
    context.onResolve({ filter: /^(\.|@essaim\/)/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === onlyWhatIsUsed || kind === 'entry-point' || !importer.endsWith('.ts') || importer.includes('node_modules')) return undefined;
      const found = await context.resolve(path, { importer, resolveDir, kind, pluginData: onlyWhatIsUsed });
      return { ...found, sideEffects: false };
    });
  },
};

/**
 * Node's own modules are looked up where they are used. An import statement would read every property of them before anything runs, and
 * those of node:http bring a whole HTTP client with them.
 */
const builtinsWhenUsed: Plugin = {
  name: 'builtins-when-used',
  setup(context) {
    context.onResolve({ filter: new RegExp(`^(node:.*|${builtinModules.join('|')})$`) }, ({ path, kind }) => (kind === 'import-statement' ? { path, namespace: 'builtin' } : { path, external: true }));
    context.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule('${path}');`, loader: 'js' }));
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
    banner: { js: COMMON_JS },
    external: [...STAY, ...ABSENT],
    loader: { '.py': 'copy' },
    // Not minified: esbuild then writes -Infinity as -1/0, and V8 never optimises a search that begins with it (BENCHMARKS.md, what sharing a model's work costs).
    sourcemap: 'linked',
    logLevel: 'error',
    plugins: [onlyWhatIsUsed, builtinsWhenUsed, lateWhenUsed],
  });
} catch (error) {
  // esbuild has already printed its own errors, with file and line.
  if (!(error instanceof Error && 'errors' in error)) console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
