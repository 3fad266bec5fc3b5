import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kvBytesPerToken, type KvCache, type KvLayout, KvPool } from '@essaim/kv';
import { type BankSize, roomOf } from './bank.ts';
import { Banks } from './banks.ts';
import { kernelsModule } from './module.ts';

const SIZE: BankSize = { arenaBytes: 1000, bytes: 3 * 65_536 };
const ROOM = roomOf(SIZE);

let folder: string;
let module: WebAssembly.Module;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-banks-'));
  module = await kernelsModule();
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(bytes: number): string {
  const file = join(folder, `${bytes}`);
  writeFileSync(file, Uint8Array.from({ length: bytes }, (_, index) => index % 251));
  return file;
}

describe('banks', () => {
  it('hold each file where its place says, and take another memory when one is full', async () => {
    const banks = new Banks(module, SIZE);
    const bytes = Math.floor(ROOM / 2 / 64) * 64;
    const file = fileOf(bytes);
    const placed = [await banks.load(file, bytes), await banks.load(file, bytes), await banks.load(file, bytes)];
    expect(placed.map(({ bank }) => bank)).toEqual([0, 0, 1]);
    expect(banks.taken('weights')).toBe(3 * bytes);
    for (const { bank, at } of placed) {
      const held = Buffer.from(banks.view(bank).floats.buffer, at, bytes);
      expect([at % 64, held.every((byte, index) => byte === index % 251)]).toEqual([0, true]);
    }
    banks.free(placed[0]!);
    expect(await banks.load(file, bytes)).toEqual(placed[0]);
  });

  it('keep weights apart from keys and values', async () => {
    const banks = new Banks(module, SIZE);
    const placed = await banks.load(fileOf(64), 64);
    const kept = banks.kvMemory.take(64);
    expect(banks.kvPlace(kept)).toEqual({ bank: 1, at: placed.at });
    expect([banks.taken('weights'), banks.taken('keys and values')]).toEqual([64, 64]);
  });

  it('are each told of to other threads, in order, once', () => {
    const banks = new Banks(module, SIZE);
    expect(banks.unshared).toBeNull();
    const memories = [1, 2].map(() => banks.kvMemory.take(ROOM).buffer);
    for (const [bank, buffer] of memories.entries()) {
      expect([banks.unshared?.bank, banks.unshared?.memory.buffer === buffer]).toEqual([bank, true]);
      banks.share();
    }
    expect(banks.unshared).toBeNull();
  });

  it('hold what is just as large as there is room, and refuse more with a sentence, whoever asks', async () => {
    const banks = new Banks(module, SIZE);
    expect(banks.kvMemory.mostBytes).toBe(ROOM);
    expect(banks.kvMemory.take(ROOM)).toHaveLength(ROOM);
    expect(() => banks.kvMemory.take(ROOM + 1)).toThrow(expect.objectContaining({ code: 'resource_exhausted', message: expect.stringContaining('bytes of keys and values are more than can be addressed as one') as string }));
    await expect(banks.load(fileOf(64), ROOM + 64)).rejects.toMatchObject({ code: 'resource_exhausted' });
    expect([banks.taken('weights'), banks.unshared?.bank]).toEqual([0, 0]);
  });

  it('hold nothing of a file that can not be read', async () => {
    const banks = new Banks(module, SIZE);
    for (const [file, bytes] of [[join(folder, 'none'), 64], [fileOf(128), 64], [fileOf(64), 128], [folder, 4096]] as const) {
      await expect(banks.load(file, bytes)).rejects.toMatchObject({ code: 'data_loss' });
      expect(banks.taken('weights')).toBe(0);
    }
  });
});

/** Of each layer a token takes two cache lines. A bank holds this many tokens. */
const LAYOUT: KvLayout = { layerCount: 2, keyWidth: 28, valueWidth: 4, dtype: 'f32' };
const TOKENS = Math.floor(ROOM / kvBytesPerToken(LAYOUT));
/** Sequences of as many tokens that the pool has room for. */
const MOST = 5;

/** Keys and values of a token that tell its sequence and its place. */
const valueOf = (cache: KvCache, position: number, layer: number): number => 100 * (cache.tokenIds[position] ?? 0) + layer + position / 1024;

function append(cache: KvCache, count: number): void {
  const [first, id] = [cache.length, cache.id % 1000];
  const rows = (width: number, layer: number): Float32Array => Float32Array.from({ length: count * width }, (_, index) => 100 * id + layer + (first + Math.floor(index / width)) / 1024);
  cache.prepare(count);
  for (let layer = 0; layer < LAYOUT.layerCount; layer++) cache.append(layer, count, { keys: rows(LAYOUT.keyWidth, layer), values: rows(LAYOUT.valueWidth, layer) });
  cache.commit(new Array<number>(count).fill(id));
}

function expectOwn(cache: KvCache): void {
  for (let layer = 0; layer < LAYOUT.layerCount; layer++) {
    const [keys, values] = [cache.keys(layer, 0, cache.length), cache.values(layer, 0, cache.length)];
    const wrong = Array.from({ length: cache.length }, (_, position) => position).filter((position) => {
      const wanted = Math.fround(valueOf(cache, position, layer));
      return keys[position * LAYOUT.keyWidth] !== wanted || values[(position + 1) * LAYOUT.valueWidth - 1] !== wanted;
    });
    expect(wrong).toEqual([]);
  }
}

const acts = fc.array(fc.oneof(
  fc.integer({ min: 1, max: TOKENS }).map((reserve) => ({ reserve })), fc.record({ nth: fc.nat(5), append: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ nth: fc.nat(5), end: fc.constantFrom('release' as const, 'keep' as const) }),
), { maxLength: 60, size: 'max' });

describe('keys and values in banks', () => {
  it('stay as they were however caches grow, end and are kept, and all memory is given back', () => {
    fc.assert(fc.property(acts, (history) => {
      const banks = new Banks(module, SIZE);
      const pool = new KvPool(LAYOUT, MOST * TOKENS * kvBytesPerToken(LAYOUT), banks.kvMemory);
      const open: KvCache[] = [];
      for (const act of history) {
        if ('reserve' in act) {
          const cache = pool.reserve(act.reserve);
          if (cache !== null) open.push(cache);
        } else if ('append' in act) {
          const cache = open[act.nth];
          const count = Math.min(act.append, (cache?.maxTokens ?? 0) - (cache?.length ?? 0));
          if (cache !== undefined && count > 0) append(cache, count);
        } else {
          open.splice(act.nth, 1)[0]?.[act.end]();
        }
        for (const cache of open) expectOwn(cache);
        expect(banks.taken('keys and values')).toBe(open.reduce((sum, { heldBytes }) => sum + heldBytes, pool.keptBytes));
      }
      for (const cache of open) cache.release();
      // Whoever reserves all makes what is kept leave.
      for (const cache of Array.from({ length: MOST }, () => pool.reserve(TOKENS)!)) cache.release();
      pool.checkIntegrity();
      expect(banks.taken('keys and values')).toBe(0);
    }), { numRuns: 60 });
  });
});
