import { type ModelSpec, type YarnRope } from '@essaim/core';
import { describe, expect, it } from 'vitest';
import { RopeTable } from './rope-table.ts';

const attention: ModelSpec['attention'] = { kind: 'gqa', headCount: 1, kvHeadCount: 1, headSize: 8, slidingWindow: null };
const yarn: YarnRope = { kind: 'yarn', theta: 1e4, factor: 4, originalContextLength: 64, betaFast: 32, betaSlow: 1, magnitude: 1 };
const positions = [0, 63, 64, 200, 1000];
const rows = (model: Pick<ModelSpec, 'rope' | 'queryScaling'>): ReturnType<RopeTable['rows']> => new RopeTable({ ...model, attention }).rows(positions);

describe('the angles of positions', () => {
  it('are the same in whatever order, and however far, they are asked for', () => {
    const table = new RopeTable({ rope: yarn, queryScaling: null, attention });
    const far = table.rows([1000]);
    expect(table.rows([3, 1000]).cos.subarray(4)).toEqual(far.cos);
    expect(new RopeTable({ rope: yarn, queryScaling: null, attention }).rows([3]).sin).toEqual(table.rows([3]).sin);
  });

  it('have cosine and sine multiplied by the magnitude where the model corrects it', () => {
    const [plain, corrected] = [rows({ rope: yarn, queryScaling: null }), rows({ rope: { ...yarn, magnitude: 1.5 }, queryScaling: null })];
    for (const part of ['cos', 'sin'] as const) corrected[part].forEach((value, index) => expect(value).toBeCloseTo(1.5 * plain[part][index]!, 6));
  });
});

describe('queries', () => {
  it('are scaled past the original context only, as transformers scales those of Ministral 3', () => {
    const table = new RopeTable({ rope: yarn, queryScaling: { beta: 0.1, originalContextLength: 16384 }, attention });
    const oracle = [1, 1, 1.06931471824646, 1.13862943649292];
    table.rows([0, 16383, 16384, 49152]).queryScale!.forEach((scale, row) => expect(scale).toBeCloseTo(oracle[row]!, 6));
  });

  it('of a model that scales none have no scale at all', () => {
    expect(rows({ rope: yarn, queryScaling: null }).queryScale).toBeNull();
  });
});
