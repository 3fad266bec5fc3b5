import { describe, expect, it } from 'vitest';
import { AppError, type ClusterSnapshot, workerId } from '@essaim/core';
import { type AddedRows, type DeviceRows } from './device-rows.ts';
import { Dispatcher } from './dispatcher.ts';
import { type ExpertBatch, type ExpertPeer } from './expert-peer.ts';
import { type Routing } from './routing.ts';

const [LEAD, OTHER] = [workerId('w1'), workerId('w2')];
const WIDTH = 2;

/** Rows of a device that remember what was added to them. */
class ToyRows implements DeviceRows {
  readonly rowCount = 2;
  readonly added: AddedRows[] = [];
  readonly taken: number[][] = [];
  missing = false;

  async inputs(rows: Uint32Array): Promise<Float32Array> {
    this.taken.push([...rows]);
    return Float32Array.from([...rows].flatMap((row) => [row, row]));
  }

  async add(_layer: number, parts: readonly AddedRows[]): Promise<void> {
    if (this.missing && parts.some(({ kind }) => kind === 'expert')) throw new AppError('failed_precondition', 'it is not loaded here');
    this.added.push(...parts);
  }
}

/** Experts 0 and 2 are the lead's, 1 and 3 the other worker's; two rows, each to two experts. */
const ROUTING: Routing = { experts: Uint32Array.of(0, 1, 1, 2), gates: Float32Array.of(0.25, 0.75, 0.5, 0.5), expertsPerToken: 2 };
const snapshot = (owners: readonly (readonly ReturnType<typeof workerId>[])[]): ClusterSnapshot => ({
  clusterId: 'c', epoch: 1, model: { id: 'm', directory: '', dtype: 'float32', deterministic: false },
  workers: [LEAD, OTHER].map((id) => ({ id, address: '', state: 'ready', roles: { lead: true, expert: true } })),
  placement: [owners.map((workers) => workers.map((worker) => ({ worker, state: 'ready' as const })))],
});
const SHARED = snapshot([[LEAD], [OTHER], [LEAD], [OTHER]]);

/** Returns its activations and 10 for each expert, by what was asked for: a row per token or per pair. */
const other: ExpertPeer = {
  execute: async ({ reduce, rowOffsets, experts, activations }: ExpertBatch) => {
    const rowOf = (pair: number): number => rowOffsets.findIndex((offset) => offset > pair) - 1;
    const values = [...experts].map((expert, pair) => [activations[rowOf(pair) * WIDTH]! + 10 * expert, 0]);
    return Float32Array.from(reduce ? [...rowOffsets.subarray(1)].flatMap((_, row) => values.filter((_value, pair) => rowOf(pair) === row).reduce((sum, [value]) => [sum[0]! + value!, 0], [0, 0])) : values.flat());
  },
};

function dispatch(rows: ToyRows, { deterministic = false, at = SHARED } = {}) {
  const local: ExpertPeer = { execute: () => Promise.reject(new Error('experts of the device run on the device')) };
  const dispatcher = new Dispatcher({ self: LEAD, local, peer: () => other, snapshot: () => at, newerThan: () => Promise.resolve(null), clock: { sleep: () => Promise.resolve() }, deterministic });
  return dispatcher.dispatchOnDevice({ step: 1, layer: 0, hiddenSize: WIDTH, routing: ROUTING, activations: rows }, new AbortController().signal);
}

describe('rows on a device', () => {
  it('leave it only for experts elsewhere, and their sums come back', async () => {
    const rows = new ToyRows();
    const outcome = await dispatch(rows);
    expect(rows.taken).toEqual([[0, 1]]);
    expect(rows.added).toEqual([
      { kind: 'expert', expert: 0, rows: Uint32Array.of(0), gates: Float32Array.of(0.25) },
      { kind: 'expert', expert: 2, rows: Uint32Array.of(1), gates: Float32Array.of(0.5) },
      { kind: 'values', rows: Uint32Array.of(0, 1), values: Float32Array.of(10, 0, 11, 0) },
    ]);
    expect([outcome.failures.size, [...outcome.localExpertCalls], [...outcome.remoteExpertCalls]]).toEqual([0, [1, 1], [1, 1]]);
  });

  it('are added to in the order of experts in deterministic mode, wherever those ran', async () => {
    const rows = new ToyRows();
    await dispatch(rows, { deterministic: true });
    expect(rows.added.map((part) => (part.kind === 'expert' ? part.expert : [...part.values]))).toEqual([0, [10, 0, 11, 0], 2]);
  });

  it('go to another worker where an expert has left, and nothing is added twice', async () => {
    const rows = new ToyRows();
    rows.missing = true;
    const outcome = await dispatch(rows, { at: snapshot([[LEAD, OTHER], [OTHER], [LEAD, OTHER], [OTHER]]) });
    expect(outcome.failures.size).toBe(0);
    expect(rows.added.every(({ kind }) => kind === 'values')).toBe(true);
    expect([...outcome.retriedExpertCalls].some((count) => count > 0)).toBe(true);
  });

  it('are given up with their step when the device fails: part of a sum may be there', async () => {
    const rows = new ToyRows();
    rows.add = () => Promise.reject(new AppError('unavailable', 'the device is lost'));
    await expect(dispatch(rows)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
