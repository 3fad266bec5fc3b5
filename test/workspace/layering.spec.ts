import { createProjectGraphAsync, type ProjectGraph, type ProjectGraphProjectNode } from '@nx/devkit';
import { basename } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findCycle } from './find-cycle.ts';

let graph: ProjectGraph;

beforeAll(async () => {
  process.env.NX_ISOLATE_PLUGINS = 'false';
  graph = await createProjectGraphAsync();
});

const packages = (): ProjectGraphProjectNode[] => Object.values(graph.nodes);
const tagsOf = (name: string, kind: 'layer' | 'unit'): string[] => graph.nodes[name]?.data.tags?.filter((tag) => tag.startsWith(`${kind}:`)) ?? [];
const layerOf = (name: string): string => tagsOf(name, 'layer')[0] ?? 'none';
const seenBy = (name: string): string[] => (graph.dependencies[name] ?? []).map(({ target }) => target).filter((target) => target in graph.nodes);

/** 'from -> to' for every import between packages whose ends are as asked. */
const importsWhere = (matches: (from: string, to: string) => boolean): string[] =>
  packages().flatMap(({ name }) => seenBy(name).filter((target) => matches(name, target)).map((target) => `${name} -> ${target}`));

describe('packages', () => {
  it('are in the graph with the imports of their sources', () => {
    expect(seenBy('@essaim/rpc')).toEqual(expect.arrayContaining(['@essaim/core', '@essaim/contracts', '@essaim/dispatch']));
  });

  it('are each of one layer, and pure libraries and adapters of a unit that is named like their folder', () => {
    expect(packages().filter(({ name }) => tagsOf(name, 'layer').length !== 1).map(({ name }) => name)).toEqual([]);
    const units = packages().filter(({ name }) => ['layer:pure', 'layer:io'].includes(layerOf(name)));
    expect(units.map(({ name }) => tagsOf(name, 'unit'))).toEqual(units.map(({ data }) => [`unit:${basename(data.root)}`]));
  });

  it('import each other without a cycle', () => {
    expect(findCycle(new Map(packages().map(({ name }) => [name, seenBy(name)])))?.join(' -> ') ?? 'no cycle').toBe('no cycle');
  });
});

describe('layers', () => {
  it('core and the generated code import no package', () => {
    expect(importsWhere((from) => ['layer:core', 'layer:contracts'].includes(layerOf(from)))).toEqual([]);
  });

  it('pure libraries import core and pure libraries only', () => {
    expect(importsWhere((from, to) => layerOf(from) === 'layer:pure' && !['layer:core', 'layer:pure'].includes(layerOf(to)))).toEqual([]);
  });

  it('nothing imports an app', () => {
    expect(importsWhere((_from, to) => layerOf(to) === 'layer:app')).toEqual([]);
  });

  it('only rpc sees the generated code', () => {
    expect(importsWhere((from, to) => to === '@essaim/contracts' && from !== '@essaim/rpc')).toEqual([]);
  });
});
