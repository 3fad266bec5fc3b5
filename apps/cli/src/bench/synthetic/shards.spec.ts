import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type PlannedTensor, SYNTHETIC_MIXTRAL, tensorsOf } from './model.ts';
import { planShards, tensorBytes } from './shards.ts';

const bytesOf = (tensors: readonly PlannedTensor[]): number => tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);

it('puts every tensor into one shard, in order, none over the limit but where a tensor is larger alone', () => {
  const tensor = fc.nat({ max: 50 }).map((size): PlannedTensor => ({ name: 't', shape: [size + 1], mean: 0, deviation: 1 }));
  fc.assert(fc.property(fc.array(tensor), fc.integer({ min: 1, max: 200 }), (tensors, shardBytes) => {
    const shards = planShards(tensors, shardBytes);
    expect(shards.flatMap((shard) => shard.tensors)).toEqual(tensors);
    for (const shard of shards) expect(shard.tensors.length === 1 || bytesOf(shard.tensors) <= shardBytes).toBe(true);
  }));
});

it('the synthetic Mixtral has 1.5 billion weights in four files of a gigabyte at most', () => {
  const shards = planShards(tensorsOf(SYNTHETIC_MIXTRAL), 1e9);
  expect(shards.map(({ file }) => file)).toEqual([1, 2, 3, 4].map((number) => `model-0000${number}-of-00004.safetensors`));
  expect(bytesOf(shards.flatMap((shard) => shard.tensors)) / 2).toBe(1_516_930_048);
});
