import { type Tensor } from 'onnxruntime-node';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ModelSpec } from '@essaim/core';
import { syntheticModel } from '../test/synthetic-model.ts';
import { DeviceKeys, type Member } from './device-keys.ts';
import { floats, hostFloats } from './device-session.ts';
import { OpenDevice } from './open-device.ts';
import { PlainGraphs } from './plain-graphs.ts';

const HEAD_SIZE = 32;
const spec: ModelSpec = syntheticModel({ hiddenSize: 32, expertSize: 32, vocabSize: 32, dtype: 'float32' }).spec;

let graphs: PlainGraphs;
beforeAll(() => void (graphs = new PlainGraphs(new OpenDevice({ provider: 'cpu', index: 0 }), spec)));
afterAll(() => graphs.close());

/** Keys [n, 1, headSize, tokens] and values [n, 1, tokens, headSize] in which every number of a token is the token; the last tokens of each are its own. */
function tensorsOf(sequences: readonly (readonly number[])[]): { keys: Tensor; values: Tensor } {
  const tokens = Math.max(...sequences.map(({ length }) => length));
  const padded = sequences.map((own) => [...new Array<number>(tokens - own.length).fill(0), ...own]);
  const keys = padded.flatMap((own) => Array.from({ length: HEAD_SIZE }, () => own).flat());
  const values = padded.flatMap((own) => own.flatMap((token) => new Array<number>(HEAD_SIZE).fill(token)));
  return { keys: floats(Float32Array.from(keys), [sequences.length, 1, HEAD_SIZE, tokens]), values: floats(Float32Array.from(values), [sequences.length, 1, tokens, HEAD_SIZE]) };
}

/** The inverse, with 0 where there is none of a sequence's tokens. */
function sequencesOf({ keys, values }: Readonly<Record<string, Tensor>>): number[][] {
  const [count, , , tokens] = keys!.dims as [number, number, number, number];
  const [allKeys, allValues] = [hostFloats(keys!), hostFloats(values!)];
  return Array.from({ length: count }, (_, nth) => Array.from({ length: tokens }, (_, token) => {
    const found = new Set<number>();
    for (let index = 0; index < HEAD_SIZE; index++) found.add(allKeys[(nth * HEAD_SIZE + index) * tokens + token]!).add(allValues[(nth * tokens + token) * HEAD_SIZE + index]!);
    return found.size === 1 ? [...found][0]! : NaN;
  }));
}

/** A step: some sequences go on together by one token, behind `cut` fewer tokens than they keep; another goes on with what one of them has, and another ends. */
const step = fc.record({ members: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 12 }), cut: fc.nat(1), shared: fc.option(fc.tuple(fc.nat(11), fc.nat(11))), ended: fc.option(fc.nat(11)) });

it('keeps of each sequence what is its own, whoever it goes on with', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    const keys = new DeviceKeys(spec, graphs);
    const caches = Array.from({ length: 12 }, () => ({}));
    const kept = caches.map((): number[] => []);
    let token = 0;
    const goOn = async (numbers: readonly number[], cut: number): Promise<void> => {
      for (const number of numbers) kept[number] = kept[number]!.slice(0, Math.max(1, kept[number]!.length - cut));
      const members = (grown: number): Member[] => numbers.map((number) => ({ cache: caches[number]!, length: kept[number]!.length + grown }));
      const { tensors, isNew } = await keys.past(members(0), 0);
      const found = sequencesOf(tensors);
      numbers.forEach((number, nth) => expect(found[nth]!.slice(found[nth]!.length - kept[number]!.length)).toEqual(kept[number]));
      if (isNew) for (const tensor of Object.values(tensors)) tensor.dispose();
      for (const number of numbers) kept[number]!.push(++token);
      // What the graph makes of them: padding goes on as it is.
      await keys.put(members(1), 0, tensorsOf(numbers.map((number) => kept[number]!)));
    };
    for (const { members, cut, shared, ended } of steps) {
      // A sequence begins by itself.
      for (const number of members.filter((each) => kept[each]!.length === 0)) {
        kept[number] = Array.from({ length: 1 + (number % 5) }, () => ++token);
        await keys.put([{ cache: caches[number]!, length: kept[number]!.length }], 0, tensorsOf([kept[number]!]));
      }
      await goOn(members, cut);
      if (shared !== null && kept[shared[1]]!.length === 0) {
        keys.share(caches[shared[0]]!, caches[shared[1]]!);
        kept[shared[1]] = [...kept[shared[0]]!];
      }
      if (ended !== null) {
        keys.drop(caches[ended]!);
        kept[ended] = [];
      }
    }
    for (const [number, own] of kept.entries()) if (own.length > 0) await goOn([number], 0);
    keys.close();
  }), { numRuns: 60, seed: 1 });
});

it('moves nothing for sequences that go on as before, and frees what nobody holds', async () => {
  const keys = new DeviceKeys(spec, graphs);
  const [first, second] = [{}, {}];
  const before = tensorsOf([[1, 2, 3], [4, 5]]);
  await keys.put([{ cache: first, length: 3 }, { cache: second, length: 2 }], 0, before);
  const past = await keys.past([{ cache: first, length: 3 }, { cache: second, length: 2 }], 0);
  expect(past).toEqual({ tensors: before, isNew: false });
  keys.drop(first);
  expect(sequencesOf(before)).toEqual([[1, 2, 3], [0, 4, 5]]);
  keys.drop(second);
  expect(() => before.keys.data).toThrow('disposed');
});

it('gives a sequence that is left behind its own, and frees what the others left', async () => {
  const keys = new DeviceKeys(spec, graphs);
  const [first, second] = [{}, {}];
  const before = tensorsOf([[1, 2, 3], [4, 5]]);
  await keys.put([{ cache: first, length: 3 }, { cache: second, length: 2 }], 0, before);
  await keys.put([{ cache: first, length: 4 }], 0, tensorsOf([[1, 2, 3, 6]]));
  expect(() => before.keys.data).toThrow('disposed');
  const { tensors, isNew } = await keys.past([{ cache: second, length: 2 }], 0);
  expect([sequencesOf(tensors), isNew]).toEqual([[[4, 5]], false]);
  keys.close();
});
