import { describe, expect, it } from 'vitest';
import { expertPieces, leadPieces } from '@essaim/graph';
import { syntheticModel } from '../test/synthetic-model.ts';
import { type Device } from './device.ts';
import { DeviceModel } from './device-model.ts';
import { assertRoom, type DeviceRoom } from './device-room.ts';

const CARD: Device = { provider: 'webgpu', index: 0 };
const SIZE = { hiddenSize: 1024, expertSize: 4096, vocabSize: 32_000 };
const ROOM: DeviceRoom = { memoryBytes: 400e6, kvBytes: 10e6, tensorBytes: null, stepRows: 256, sequences: 64 };
const model = syntheticModel({ ...SIZE, dtype: 'float32' });
const [lead, experts] = [leadPieces(model.spec), expertPieces(model.spec)];
const asking = (pieces = [...lead, ...experts], room: Partial<DeviceRoom> = {}, asked = model) => (): void => assertRoom(CARD, { model: asked, pieces, room: { ...ROOM, ...room } });

describe('what a worker is to hold on its device', () => {
  it('has room there, without any weight being read', () => {
    expect(asking()).not.toThrow();
    expect(model.reads()).toBe(0);
  });

  it('is refused where it has not, with what is needed, what there is and what to do', () => {
    expect(asking(undefined, { memoryBytes: 280e6 })).toThrow(expect.objectContaining({
      code: 'resource_exhausted',
      message: 'the device webgpu needs 292 MB (232 MB of weights, 20 MB for buffers of keys and values, 40 MB for a step) and has 280 MB for them: choose a smaller --kv-memory, or a smaller --dtype such as int4, or more workers, so that each holds fewer experts',
    }));
  });

  it.each<[string, Parameters<typeof asking>]>([
    ['fewer experts', [[...lead, experts[0]!]]], ['less for keys and values', [undefined, { kvBytes: 1e6 }]], ['int4', [undefined, {}, syntheticModel({ ...SIZE, dtype: 'int4' })]],
    ['no dense part, and so no keys and values', [experts, { kvBytes: 1e9 }]],
  ])('has room with %s', (_what, [pieces, room, asked]) => {
    const memoryBytes = 280e6;
    expect(asking(undefined, { memoryBytes })).toThrow();
    expect(asking(pieces, { memoryBytes, ...room }, asked)).not.toThrow();
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
