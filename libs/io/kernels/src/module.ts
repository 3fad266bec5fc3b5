import { setFlagsFromString } from 'node:v8';
import { getEnvironmentData, type Serializable, setEnvironmentData } from 'node:worker_threads';
import { type Kernels } from './kernels.ts';
import { KERNELS_WASM } from './kernels_wasm.ts';
import { givesKnownAnswers } from './self-test.ts';

/**
 * V8's flags while the module is compiled; they are taken back before anything else can run on this thread.
 * All functions are optimised at once: else the first calls would run code that is several times slower.
 */
const OPTIMISED = { set: ['--no-liftoff', '--no-wasm-lazy-compilation'], unset: ['--liftoff', '--wasm-lazy-compilation'] };
/** Pairs of operations on 128 bits become one on 256 bits where the CPU has AVX2: up to twice the speed, but V8 calls it experimental. */
const WIDE = { set: ['--experimental-wasm-revectorize'], unset: ['--no-experimental-wasm-revectorize'] };

/** Where threads that are started later find the module. */
const SHARED = 'essaim/kernels';

/**
 * The compiled kernels. Compiling takes some 50 ms; the threads that a thread starts afterwards take its module. V8's flags are those of
 * all threads, so it is best compiled before there are others.
 */
export async function kernelsModule(): Promise<WebAssembly.Module> {
  const shared = getEnvironmentData(SHARED);
  if (shared instanceof WebAssembly.Module) return shared;
  const module = firstRight([() => compileKernels({ wide: true }), () => compileKernels({ wide: false })], isRight);
  setEnvironmentData(SHARED, module as unknown as Serializable);
  return module;
}

/** The kernels over a memory, for which `initConstants` must be called once. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

function isRight(module: WebAssembly.Module): boolean {
  return givesKnownAnswers((memory) => instantiate(module, memory));
}

/** Compiles with or without operations on 256 bits. The results have the same bits. */
export function compileKernels({ wide }: { readonly wide: boolean }): WebAssembly.Module {
  const flags = wide ? [OPTIMISED, WIDE] : [OPTIMISED];
  // V8 shares the code of equal bytes within a process, whatever the flags: a custom section tells the two apart.
  const bytes = Buffer.concat([Buffer.from(KERNELS_WASM, 'base64'), customSection(wide ? 'wide' : 'narrow')]);
  for (const flag of flags.flatMap(({ set }) => set)) setFlagsFromString(flag);
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    for (const flag of flags.flatMap(({ unset }) => unset)) setFlagsFromString(flag);
  }
}

/**
 * The first of the modules that is right; one that can't be compiled, or traps, is not. The last is taken unseen: nothing better is left,
 * and its own specs vouch for it.
 */
export function firstRight(candidates: readonly (() => WebAssembly.Module)[], isRight: (module: WebAssembly.Module) => boolean): WebAssembly.Module {
  for (const compile of candidates.slice(0, -1)) {
    try {
      const module = compile();
      if (isRight(module)) return module;
    } catch {
      // The next one.
    }
  }
  return candidates.at(-1)!();
}

/** @see https://webassembly.github.io/spec/core/binary/modules.html#custom-section */
function customSection(name: string): Uint8Array {
  return Uint8Array.of(0, name.length + 1, name.length, ...Buffer.from(name));
}
