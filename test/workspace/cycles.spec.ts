import { describe, expect, it } from 'vitest';
import { findCycle } from './find-cycle.ts';
import { readImports } from './source-files.ts';

describe('imports between files', () => {
  const imports = readImports();

  it('never lead back to the file that they started from', () => {
    expect(findCycle(imports)?.join(' -> ') ?? 'no cycle').toBe('no cycle');
  });

  it('lead to files that exist', () => {
    const missing = [...imports].flatMap(([file, targets]) => targets.filter((target) => target.endsWith('.ts') && !imports.has(target)).map((target) => `${file} -> ${target}`));
    expect(missing).toEqual([]);
  });

  it('are followed across packages', () => {
    expect(imports.get('libs/io/rpc/src/services.ts')).toEqual(expect.arrayContaining(['libs/core/src/index.ts', 'libs/engine/dispatch/src/index.ts']));
    expect(imports.get('libs/io/rpc/src/bridge/security.ts')).toContain('libs/ops/auth/src/identity.ts');
  });
});

describe('findCycle', () => {
  const graph = (text: string): Map<string, string[]> => new Map(text.split(' ').map((row) => [row[0]!, [...row.slice(1)]]));

  it.each([
    ['abc bd cd d', null],
    ['abc bd cd da', 'abda'],
    ['ab bb', 'bb'],
    ['ab bz', null],
    ['ab bc c dc de ed', 'ded'],
  ])('in %s is %s', (text, cycle) => expect(findCycle(graph(text))?.join('') ?? null).toBe(cycle));
});
