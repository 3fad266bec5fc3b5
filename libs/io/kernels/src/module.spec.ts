import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { compileKernels, firstRight, instantiate, kernelsModule } from './module.ts';
import { givesKnownAnswers } from './self-test.ts';

it('is compiled once, also for threads that are started later', async () => {
  const module = await kernelsModule();
  expect(await kernelsModule()).toBe(module);
  const worker = new Worker(
    `const { getEnvironmentData, parentPort } = require('node:worker_threads');
     parentPort.postMessage(getEnvironmentData('essaim/kernels') instanceof WebAssembly.Module);`,
    { eval: true },
  );
  expect(await once(worker, 'message')).toEqual([true]);
  await worker.terminate();
});

it.each([true, false])('gives known answers when wide is %s', (wide) => {
  const module = compileKernels({ wide });
  expect(givesKnownAnswers((memory) => instantiate(module, memory))).toBe(true);
});

it.each(['linear4', 'linear8', 'linear32', 'quantise', 'attention', 'rmsNorm', 'add', 'addScaled', 'swiglu', 'rotateHalves', 'rotatePairs'] as const)('finds it out when %s does nothing', (kernel) => {
  const module = compileKernels({ wide: false });
  expect(givesKnownAnswers((memory) => ({ ...instantiate(module, memory), [kernel]: () => {} }))).toBe(false);
});

it('falls back when the first choice is wrong or fails', () => {
  const [first, second] = [compileKernels({ wide: true }), compileKernels({ wide: false })];
  const fail = (): never => {
    throw new Error('injected');
  };
  expect(firstRight([() => first, () => second], () => true)).toBe(first);
  expect(firstRight([() => first, () => second], (module) => module !== first)).toBe(second);
  expect(firstRight([fail, () => second], () => true)).toBe(second);
  expect(firstRight([() => first, () => second], fail)).toBe(second);
});

it.each(['--no-enable-avx-vnni', '--no-enable-avx2', '--no-enable-fma3', '--no-enable-avx'])('gives known answers on a CPU with %s', (flag) => {
  const script = `
    const { compileKernels, instantiate } = await import(${JSON.stringify(import.meta.resolve('./module.ts'))});
    const { givesKnownAnswers } = await import(${JSON.stringify(import.meta.resolve('./self-test.ts'))});
    console.log([true, false].every((wide) => givesKnownAnswers((memory) => instantiate(compileKernels({ wide }), memory))));`;
  expect(execFileSync(process.execPath, [flag, '--input-type=module', '--eval', script], { encoding: 'utf8' }).trim()).toBe('true');
});
