import { describe, expect, it } from 'vitest';
import { compilePiece, expertPieces, leadPieces, type PieceKey, weightBytesOf } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { type Device } from './device.ts';
import { DeviceModel } from './device-model.ts';
import { deviceNeeds, type DeviceRoom } from './device-room.ts';

const SIZE = { hiddenSize: 1024, expertSize: 4096, vocabSize: 32_000 };
const ROOM: DeviceRoom = { kvBytes: 10e6, tensorBytes: null, stepRows: 256, sequences: 64 };
const model = syntheticModel({ ...SIZE, dtype: 'float32' });
/** Of matrices in float32, and an attention of one head of 32. */
const [EXPERT_WEIGHTS, HEAD_WEIGHTS] = [3 * 1024 * 4096, 32_000 * 1024];

describe('what a worker needs of its device', () => {
  it('is told without any weight being read', () => {
    expect(deviceNeeds(model, ROOM)).toEqual({ denseBytes: expect.any(Number) as number, kvBytes: 10e6, kvSlackBytes: 16_666_667, stepBytes: expect.any(Number) as number, expertBytes: 4 * EXPERT_WEIGHTS });
    expect(model.reads()).toBe(0);
  });

  it('is the head, but not the embedding, which stays with the host', () => {
    const { denseBytes } = deviceNeeds(model, ROOM);
    expect(denseBytes / (4 * HEAD_WEIGHTS)).toBeCloseTo(1, 1);
  });

  it('is less of weights in int4, and less for a step whose sequences are shorter', () => {
    // Four bits, and a scale of 32 for each 32 weights.
    const [all, small, short] = [deviceNeeds(model, ROOM), deviceNeeds(syntheticModel({ ...SIZE, dtype: 'int4' }), ROOM), deviceNeeds(model, { ...ROOM, kvBytes: 1e3 })];
    expect(small.expertBytes / all.expertBytes).toBeCloseTo(0.625 / 4);
    expect(small.denseBytes).toBeLessThan(all.denseBytes);
    expect(short.stepBytes).toBeLessThan(all.stepBytes);
  });

  it('is what its pieces take there when they are loaded', () => {
    const bytesOf = (piece: PieceKey): number => weightBytesOf(compilePiece(model, piece));
    const { denseBytes, expertBytes } = deviceNeeds(model, ROOM);
    expect(leadPieces(model.spec).filter(({ kind }) => kind !== 'embed').reduce((sum, piece) => sum + bytesOf(piece), 0)).toBe(denseBytes);
    for (const piece of expertPieces(model.spec)) expect(bytesOf(piece)).toBe(expertBytes);
  });
});

it('a sequence is no longer than what it keeps of a layer, or its scores, in one tensor', async () => {
  const device: Device = { provider: 'cpu', index: 0 };
  const bytesOf = async (room?: Pick<DeviceRoom, 'tensorBytes' | 'stepRows'>): Promise<number> => {
    const opened = await DeviceModel.open({ spec: model.spec, device, ...(room && { room }) });
    const { mostBytes } = opened.kvMemory;
    await opened.close();
    return mostBytes;
  };
  const bytesPerToken = 2 * 32 * 4;
  // 32 numbers a token in keys and as many in values; one head, so 16 or 256 scores.
  expect(await bytesOf({ tensorBytes: 128_000, stepRows: 16 })).toBe(1000 * bytesPerToken);
  expect(await bytesOf({ tensorBytes: 128_000, stepRows: 256 })).toBe(125 * bytesPerToken);
  expect(await bytesOf()).toBeGreaterThan(2 ** 53);
});
