import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Compiles `assembly/` (AssemblyScript) into `src/kernels_wasm.ts`; with `--check` only tells whether that is what the sources give. */
const here = fileURLToPath(new URL('.', import.meta.url));
const target = join(here, 'src', 'kernels_wasm.ts');
const folder = mkdtempSync(join(tmpdir(), 'essaim-kernels-'));
try {
  const wasm = join(folder, 'kernels.wasm');
  const compiler = fileURLToPath(import.meta.resolve('assemblyscript/bin/asc.js'));
  const pages = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--memoryBase', '1024', '--zeroFilledMemory'];
  execFileSync(process.execPath, [
    compiler, 'index.ts', '--outFile', wasm, '--runtime', 'stub', '--enable', 'simd', '--enable', 'relaxed-simd', '--enable', 'threads', '-O3', '--noAssert', '--debug', '--use', 'abort=', ...pages,
  ], { cwd: join(here, 'assembly'), stdio: 'inherit' });
  const text = `/** Made by libs/io/kernels/generate.ts from libs/io/kernels/assembly. WebAssembly, base64. */\nexport const KERNELS_WASM =\n  '${readFileSync(wasm).toString('base64')}';\n`;
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) throw new Error('libs/io/kernels/src/kernels_wasm.ts is not what libs/io/kernels/assembly gives: run `npm run kernels` and commit the result');
} finally {
  rmSync(folder, { recursive: true });
}
