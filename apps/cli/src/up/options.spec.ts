import { basename } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { type WeightPrecision } from '@essaim/core';
import { DEFAULT_ACTIVATION_DTYPE } from '@essaim/rpc';
import { resolveOptions } from './options.ts';

const FLAGS = { workers: 3, replicas: 1, host: '127.0.0.1', maxTokens: 64, temperature: 0, device: { kind: 'named', provider: 'cpu', index: 0 } } as const;

afterEach(() => vi.unstubAllEnvs());

it('without flags serves the built-in model at full precision on the documented ports', () => {
  const options = resolveOptions(FLAGS);
  expect(options.model).toMatchObject({ id: 'petit', dtype: 'float32', deterministic: false });
  expect(options.ports).toEqual({ http: 8000, grpc: 8001, admin: 8080, control: 8081 });
  expect(options.threadsPerWorker).toBeGreaterThanOrEqual(1);
});

it('quantises a checkpoint of the user to the form next to its own unless told otherwise, and names it by its folder', () => {
  expect(resolveOptions({ ...FLAGS, model: '/models/Mixtral-8x7B' }).model).toMatchObject({ id: 'Mixtral-8x7B', dtype: 'int8' });
  expect(resolveOptions({ ...FLAGS, model: '/models/Mixtral-8x7B', dtype: 'int4', modelId: 'm' }).model).toMatchObject({ id: 'm', dtype: 'int4' });
  const dtypeOf = (precision: WeightPrecision): string => resolveOptions({ ...FLAGS, model: '/models/Large-3' }, { precision }).model.dtype;
  expect((['float', 'fp8', 'nvfp4'] as const).map(dtypeOf)).toEqual(['int8', 'int8', 'int4']);
  expect(resolveOptions({ ...FLAGS, model: '/models/Large-3', dtype: 'float32' }, { precision: 'nvfp4' }).model.dtype).toBe('float32');
});

it('gives keys and values a quarter of each worker\'s memory unless told otherwise, and never more than all of it', () => {
  const shared = resolveOptions({ ...FLAGS, workers: 1 }).kvMemoryMib;
  expect(Math.abs(resolveOptions({ ...FLAGS, workers: 2 }).kvMemoryMib - shared / 2)).toBeLessThanOrEqual(1);
  expect(resolveOptions({ ...FLAGS, workers: 1, kvMemory: 4 * shared })).toMatchObject({ kvMemoryMib: 4 * shared, kvMemoryShrinks: false });
  expect(resolveOptions(FLAGS).kvMemoryShrinks).toBe(true);
  expect(() => resolveOptions({ ...FLAGS, workers: 1, kvMemory: 4 * shared + 4 })).toThrow(/--kv-memory \d+ is more than the \d+ MiB that each of 1 workers may take/);
});

it('lets each worker take as much memory as asked for, and never more than there is', () => {
  const MIB = 2 ** 20;
  expect(resolveOptions({ ...FLAGS, workers: 2, workerMemory: 100 })).toMatchObject({ devices: [{ name: 'cpu', memoryBytes: 100 * MIB }, { name: 'cpu', memoryBytes: 100 * MIB }], kvMemoryMib: 25 });
  expect(() => resolveOptions({ ...FLAGS, workers: 1, workerMemory: 2 ** 30 })).toThrow(/--worker-memory 1073741824 is more than the \d+ MiB that there are for each of 1 workers/);
  expect(() => resolveOptions({ ...FLAGS, workerMemory: 101 }, { devices: [{ name: 'cuda:0', memoryBytes: 100 * MIB }] })).toThrow('--worker-memory 101 is more than the 100 MiB');
});

it('keeps keys and values in 16 bits beside weights of fewer, unless told otherwise', () => {
  expect((['float32', 'int8', 'int4'] as const).map((dtype) => resolveOptions({ ...FLAGS, dtype }).kvDtype)).toEqual(['f32', 'bf16', 'bf16']);
  expect(resolveOptions({ ...FLAGS, kvDtype: 'bf16' }).kvDtype).toBe('bf16');
});

it('has a worker for each device that was found, within the memory of the smallest', () => {
  const devices = [{ name: 'cuda:0', memoryBytes: 8 * 2 ** 30 }, { name: 'webgpu:1', memoryBytes: 4 * 2 ** 30 }];
  expect(resolveOptions({ ...FLAGS, dtype: 'int8' }, { devices })).toMatchObject({ workers: 2, devices, kvMemoryMib: 1_024, kvDtype: 'f32' });
  expect(() => resolveOptions({ ...FLAGS, replicas: 3 }, { devices })).toThrow('--replicas 3 needs as many workers');
  expect(resolveOptions({ ...FLAGS, computeDtype: 'f16' }, { devices })).toMatchObject({ computeDtype: 'f16' });
  expect(() => resolveOptions({ ...FLAGS, computeDtype: 'f16' })).toThrow('--compute-dtype f16 is for cards, and a worker computes on cpu');
  expect(() => resolveOptions({ ...FLAGS, kvDtype: 'bf16' }, { devices })).toThrow('--kv-dtype bf16 is for the processor, and a worker computes on cuda:0: leave it out');
});

it('a one-shot takes free ports except where one is given', () => {
  expect(resolveOptions({ ...FLAGS, prompt: 'x', httpPort: 9000 }).ports).toEqual({ http: 9000, grpc: 0, admin: 0, control: 0 });
});

it('sends activations between workers as asked', () => {
  expect(resolveOptions(FLAGS).wireDtype).toBe(DEFAULT_ACTIVATION_DTYPE);
  expect(resolveOptions({ ...FLAGS, wireDtype: 'bf16' }).wireDtype).toBe('bf16');
});

it('runs as many sequences in a step as the limits say unless told otherwise', () => {
  expect(resolveOptions(FLAGS).runningSequences).toBe(64);
  expect(resolveOptions({ ...FLAGS, runningSequences: 128 }).runningSequences).toBe(128);
});

it('guesses tokens only where asked to', () => {
  expect(resolveOptions(FLAGS).draftTokens).toBe(0);
  expect(resolveOptions({ ...FLAGS, speculate: 8 }).draftTokens).toBe(8);
});

it('keeps its state in the XDG state folder', () => {
  vi.stubEnv('XDG_STATE_HOME', '/somewhere/state');
  expect(resolveOptions(FLAGS).stateDirectory).toBe('/somewhere/state/essaim');
  vi.stubEnv('XDG_STATE_HOME', '');
  expect(resolveOptions(FLAGS).stateDirectory).toMatch(/\/\.local\/state\/essaim$/);
  expect(basename(resolveOptions({ ...FLAGS, stateDir: 'here' }).stateDirectory)).toBe('here');
});

it('reads a switch from the environment as a switch', () => {
  vi.stubEnv('ESSAIM_DETERMINISTIC', '0');
  expect(resolveOptions(FLAGS).model.deterministic).toBe(false);
  vi.stubEnv('ESSAIM_DETERMINISTIC', '1');
  expect(resolveOptions(FLAGS).model.deterministic).toBe(true);
  vi.stubEnv('ESSAIM_DETERMINISTIC', 'perhaps');
  expect(() => resolveOptions(FLAGS)).toThrow(/set it to 1 or 0/);
});

it('refuses what no cluster can be', () => {
  expect(() => resolveOptions({ ...FLAGS, replicas: 4 })).toThrow(/--replicas 4 needs as many workers/);
  expect(() => resolveOptions({ ...FLAGS, httpPort: 8080 })).toThrow(/are both 8080/);
});
