import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './source-files.ts';

let eslint: ESLint;

beforeAll(() => void (eslint = new ESLint({ cwd: ROOT })));

/** What the linter says when this file of the workspace held one import of `specifier`; nothing is written. */
async function importing(file: string, specifier: string): Promise<string[]> {
  const [result] = await eslint.lintText(`import * as imported from '${specifier}';\nexport const use = imported;\n`, { filePath: file });
  return result!.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe('the linter refuses an import', () => {
  it.each([
    ['of any package into core', 'libs/core/src/index.ts', '@essaim/kv'],
    ['of an npm package into core', 'libs/core/src/index.ts', 'pino'],
    ['of an adapter into a pure library', 'libs/ops/auth/src/index.ts', '@essaim/process'],
    ['of telemetry into a pure library', 'libs/ops/auth/src/index.ts', '@essaim/telemetry'],
    ['of a pure library into another', 'libs/engine/dispatch/src/index.ts', '@essaim/kv'],
    ['of an app into an app, by name', 'apps/cli/src/main.ts', '@essaim/gateway/package.json'],
    ['of an app into an app, by path', 'apps/cli/src/main.ts', '../../gateway/src/main.ts'],
    ['of an app into a library', 'libs/io/process/src/index.ts', '@essaim/worker/package.json'],
    ['of a library by path', 'libs/io/process/src/index.ts', '../../../core/src/index.ts'],
    ['of generated code outside rpc', 'libs/io/process/src/index.ts', '@essaim/contracts'],
    ['that closes a cycle of packages', 'libs/io/process/src/index.ts', '@essaim/cli/package.json'],
    ['of itself by name', 'libs/core/src/index.ts', '@essaim/core'],
  ])('%s', async (_what, file, specifier) => {
    expect(await importing(file, specifier)).toEqual([expect.stringContaining('@nx/enforce-module-boundaries')]);
  });

  it.each(['node:fs', 'node:timers/promises', '@grpc/grpc-js', '@nestjs/common', 'onnxruntime-node'])('of %s into a pure library', async (specifier) => {
    expect(await importing('libs/ops/auth/src/index.ts', specifier)).toEqual([expect.stringContaining('no-restricted-imports')]);
  });
});

describe('the linter allows an import', () => {
  it.each([
    ['of core into a pure library', 'libs/ops/auth/src/index.ts', '@essaim/core'],
    ['of a port into its adapter', 'libs/io/process/src/index.ts', '@essaim/dispatch'],
    ['of generated code into rpc', 'libs/io/rpc/src/index.ts', '@essaim/contracts'],
    ['of an adapter into an app', 'apps/cli/src/main.ts', '@essaim/process'],
  ])('%s', async (_what, file, specifier) => {
    expect(await importing(file, specifier)).toEqual([]);
  });
});
