import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LlamaProcess } from './llama-process.ts';
import { llamaContender } from './contender.ts';

/** In the place of node-llama-cpp: counts from the prompt's last token on. Its process, and what is said to it, are the real ones. */
const LIBRARY = `
  const sequence = () => ({
    async *evaluate(tokens) { for (let next = tokens.at(-1) + 1; ; next++) { if (next === 13) process.exit(1); yield next; } },
    async controlledEvaluate(input) { return input.map((_, index) => (index < input.length - 1 ? undefined : { next: { logits: new Map([[1, 5], [0, 2]]) } })); },
    async dispose() {},
  });
  const createContext = async ({ sequences, contextSize }) => {
    if (contextSize > 100) throw new Error('the context is too large');
    let left = sequences;
    return { getSequence() { if (left-- === 0) throw new Error('no sequences left'); return sequence(); }, async dispose() {} };
  };
  export const getLlama = async () => ({ loadModel: async () => ({ createContext }), getGpuDeviceNames: async () => [process.env.CARD] });
`;
const SETTINGS = { batchTokens: 8, flashAttention: true, order: 'maximumParallelism' } as const;

let folder: string;
let llama: LlamaProcess;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-llama-'));
  writeFileSync(join(folder, 'library.mjs'), LIBRARY);
  llama = new LlamaProcess({ library: join(folder, 'library.mjs'), build: 'processor', gguf: 'model.gguf', threads: 1, mapped: false }, join(folder, 'log'), { CARD: 'a card' });
});
afterEach(async () => {
  await llama[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const signal = new AbortController().signal;
const contender = () => llamaContender(llama, { decode: SETTINGS, prefill: SETTINGS, arrival: SETTINGS, startsMapped: false });

it('answers every prompt with as many tokens as were asked for, each with its time', async () => {
  const answers = await contender().generate([[1, 2], [20, 30]], { promptTokens: 2, newTokens: 5, work: 'decode' }, signal);
  expect(answers.map(({ tokenMs, promptTokens }) => [tokenMs.length, promptTokens])).toEqual([[5, 2], [5, 2]]);
  for (const { askedMs, tokenMs } of answers) expect([askedMs, ...tokenMs].toSorted((one, other) => one - other)).toEqual([askedMs, ...tokenMs]);
});

it('predicts with the logits of the last position', async () => {
  const prediction = await contender().predict([1, 2, 3], signal);
  expect(prediction.map(({ id }) => id)).toEqual([1, 0]);
  expect(prediction[0]!.logprob).toBeCloseTo(-Math.log(1 + Math.exp(-3)));
});

it('tells which cards it sees, under the variables that it was given', async () => {
  expect(await llama.ask<'describe'>({ kind: 'describe' }, signal)).toEqual({ kind: 'described', devices: ['a card'] });
});

it('says what llama.cpp could not do', async () => {
  await expect(contender().generate([[1]], { promptTokens: 1, newTokens: 500, work: 'decode' }, signal)).rejects.toMatchObject({ code: 'unavailable', message: 'llama.cpp failed: the context is too large' });
});

it('does not wait for a process that is gone, and shows where its log lies', async () => {
  await expect(contender().generate([[8]], { promptTokens: 1, newTokens: 50, work: 'decode' }, signal)).rejects.toMatchObject({ code: 'unavailable', message: expect.stringMatching(/ended unexpectedly; its log .*log ends with/) as string });
  await expect(contender().predict([1], signal)).rejects.toMatchObject({ code: 'unavailable' });
});

it('stops waiting when it is told to', async () => {
  const stop = new AbortController();
  const answer = contender().generate([[1]], { promptTokens: 1, newTokens: 5, work: 'decode' }, stop.signal);
  stop.abort();
  await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
});
