import { afterAll, describe, expect, it } from 'vitest';
import { type Constraint, GREEDY, type SequenceEvent, type SequenceRequest, type SequenceStats } from '@essaim/core';
import { buildVocabulary } from '@essaim/grammar';
import { kvBytesPerToken } from '@essaim/kv';
import { type LocalCluster, type LocalClusterOptions } from '@essaim/testing';
import { temporaryCache } from './compiled.ts';
import { eventsOf, greedyRequest } from './generate.ts';
import { finishReason, startTiny, tinyVector, tokenIds } from './tiny-cluster.ts';

/** Answers that must be something, of a model that knows nothing: they are that, and nothing else of how they are computed changes them. */

const compiled = temporaryCache();
afterAll(compiled.remove);

const EOS = 2;
const WORDS = ['{"', '": ', '":', ', "', '"}', '"name', 'true', '12', 'é', '🙂', '  ', 'ab', 'abc', '",'];
/** A byte for each id, and words for those that no text has. */
const TEXTS = Array.from({ length: 256 }, (_, id) => (id <= EOS ? new Uint8Array() : id < 3 + WORDS.length ? new TextEncoder().encode(WORDS[id - 3]) : Uint8Array.of(id)));
const vocabulary = buildVocabulary(TEXTS);
const textOf = (events: readonly SequenceEvent[]): string => Buffer.concat(tokenIds(events).map((id) => TEXTS[id]!)).toString();

const schema = (value: object): Constraint => ({ kind: 'json schema', schema: JSON.stringify(value) });
const PERSON = schema({ type: 'object', properties: { name: { type: 'string', maxLength: 12 }, age: { type: 'integer', minimum: 0, maximum: 130 } }, required: ['name', 'age'] });
const LIST = schema({ type: 'array', items: { enum: ['ab', 'abc', true] }, minItems: 3, maxItems: 6 });

interface Case { readonly constraint: Constraint; readonly check: (text: string) => boolean; readonly changes?: Partial<SequenceRequest> }

const isPerson = (text: string): boolean => {
  const { name, age, ...rest } = JSON.parse(text) as { name: unknown; age: unknown };
  return typeof name === 'string' && Array.from(name).length <= 12 && Number.isInteger(age) && Number(age) >= 0 && Number(age) <= 130 && Object.keys(rest).length === 0;
};
const isList = (text: string): boolean => {
  const items = JSON.parse(text) as unknown[];
  return items.length >= 3 && items.length <= 6 && items.every((item) => item === 'ab' || item === 'abc' || item === true);
};

const CASES: readonly Case[] = [
  { constraint: PERSON, check: isPerson }, { constraint: PERSON, check: isPerson, changes: { sampling: { ...GREEDY, temperature: 1, seed: 3n } } },
  { constraint: LIST, check: isList }, { constraint: LIST, check: isList, changes: { sampling: { ...GREEDY, temperature: 1.5, topK: 3, seed: 5n } } },
  { constraint: { kind: 'regex', pattern: '(ab|abc){5,9}!' }, check: (text) => /^(ab|abc){5,9}!$/.test(text), changes: { sampling: { ...GREEDY, repetitionPenalty: 1.4, presencePenalty: 1, frequencyPenalty: 0.5 } } },
  { constraint: { kind: 'grammar', ebnf: 'root ::= sum "="\nsum ::= sum "+" term | term\nterm ::= [0-9]{1,3} | "(" [0-9] ")"' }, check: (text) => /^(\d{1,3}|\(\d\))(\+(\d{1,3}|\(\d\)))*=$/.test(text), changes: { sampling: { ...GREEDY, temperature: 1, topP: 0.8, seed: 9n } } },
  { constraint: { kind: 'regex', pattern: '(<x>[a-d]</x>){9}' }, check: (text) => /^(<x>[a-d]<\/x>){9}$/.test(text) },
  // As calls of tools are: tokens that are no text, with text between them.
  { constraint: { kind: 'repeat', item: { kind: 'sequence', parts: [{ kind: 'token', id: 0 }, { kind: 'choice', options: [{ kind: 'text', text: 'ab' }, { kind: 'text', text: 'abc' }] }, { kind: 'token', id: 1 }, schema({ type: 'integer', minimum: 1, maximum: 99 })] }, min: 2, max: 3 }, check: (text) => /^(abc?[1-9]\d?){2,3}$/.test(text) },
  // The constraint has the last word: neither a bias, nor the wish for more tokens, nor a token that would end it changes what it is.
  { constraint: LIST, check: isList, changes: { sampling: { ...GREEDY, logitBias: new Map([[EOS, 100], [200, 100]]) }, minTokens: 60, stopTokenIds: ['b'.charCodeAt(0)], ignoreEos: false } },
  { constraint: schema({ const: { a: [1, 'é🙂'] } }), check: (text) => JSON.stringify(JSON.parse(text)) === '{"a":[1,"é🙂"]}', changes: { ignoreEos: false, logprobs: 2 } },
];
const requestOf = ({ constraint, changes }: Case, place: number): SequenceRequest => ({ ...greedyRequest(tinyVector.promptIds.slice(0, 5 + 3 * place), 200), constraint, ...changes });
const REQUESTS = CASES.map(requestOf);

const start = (options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> => startTiny({ cache: compiled.cache, vocabulary, evenAttention: true, ...options });
const said = (events: readonly SequenceEvent[]): object[] => events.map((event) => (event.kind === 'done' ? { finishReason: event.finishReason } : event));
const statsOf = (events: readonly SequenceEvent[]): SequenceStats => (events.at(-1) as Extract<SequenceEvent, { kind: 'done' }>).stats;

async function alone(options: Partial<LocalClusterOptions> = {}): Promise<SequenceEvent[][]> {
  const answers: SequenceEvent[][] = [];
  for (const request of REQUESTS) {
    await using cluster = await start(options);
    answers.push(await eventsOf(cluster.workers[0]!.engine, request));
  }
  return answers;
}

const plain = alone();

describe('an answer that must be something', () => {
  it('is that, and ends by itself', async () => {
    for (const [place, events] of (await plain).entries()) expect([place, textOf(events), finishReason(events), CASES[place]!.check(textOf(events))]).toEqual([place, textOf(events), 'stop', true]);
  });

  it.each([false, true])('is the same beside others, held to something or not, as alone (deterministic: %s)', async (deterministic) => {
    await using cluster = await start({ deterministic });
    const free = Array.from({ length: 4 }, (_, nth) => greedyRequest(tinyVector.promptIds.slice(nth), 30));
    const answers = await Promise.all([...REQUESTS, ...free].map((request, nth) => eventsOf(cluster.workers[nth % 2]!.engine, request)));
    const expected = deterministic ? await alone({ deterministic }) : await plain;
    expect(answers.slice(0, REQUESTS.length).map(said)).toEqual(expected.map(said));
    expect(cluster.kv.usedBytes).toBe(0);
  });

  it.each([4, 8])('is the same with %i guesses a step, in fewer of them', async (draftTokens) => {
    const steps = { guessing: 0, plain: 0 };
    await using guessing = await start({ draftTokens, onStep: () => void steps.guessing++ });
    await using without = await start({ onStep: () => void steps.plain++ });
    let [accepted, rejected] = [0, 0];
    for (const [place, request] of REQUESTS.entries()) {
      const events = await eventsOf(guessing.workers[0]!.engine, request);
      await eventsOf(without.workers[0]!.engine, request);
      expect(said(events)).toEqual(said((await plain)[place]!));
      accepted += statsOf(events).acceptedDraftTokens;
      rejected += statsOf(events).rejectedDraftTokens;
    }
    expect([accepted > 10, rejected > 0, steps.guessing < steps.plain]).toEqual([true, true, true]);
  });

  it('goes on after any of its tokens where another lead left it', async () => {
    await using cluster = await start();
    for (const [place, request] of REQUESTS.entries()) {
      const ids = tokenIds((await plain)[place]!);
      for (let cut = 0; cut <= ids.length; cut += 3) {
        const rest = await eventsOf(cluster.workers[1]!.engine, { ...request, generatedIds: ids.slice(0, cut) });
        expect([tokenIds(rest), finishReason(rest)]).toEqual([ids.slice(cut), 'stop']);
      }
      expect(finishReason(await eventsOf(cluster.workers[1]!.engine, { ...request, generatedIds: ids }))).toBe('stop');
    }
  });

  it('is what it would have been where it gave way to better ones', async () => {
    let [steps, done] = [0, false];
    await using measured = await start();
    const kvBytes = kvBytesPerToken(measured.kv.layout) * 260;
    await using cluster = await start({ deterministic: true, limits: { runningSequences: 1, stepTokens: 8 }, kvBytes, onStep: () => void steps++ });
    const { engine } = cluster.workers[0]!;
    const patient = Promise.all(REQUESTS.slice(0, 4).map((request) => eventsOf(engine, request))).finally(() => (done = true));
    while (!done) {
      for (const stepsThen = steps; steps < stepsThen + 5 && !done; ) await new Promise(setImmediate);
      await eventsOf(engine, { ...greedyRequest([9, 8, 7, 6], 3), priority: -1, constraint: { kind: 'regex', pattern: 'abc?' } });
    }
    const expected = await alone({ deterministic: true });
    expect((await patient).map(said)).toEqual(expected.slice(0, 4).map(said));
  });
});

describe('an answer that can\'t be what it must be', () => {
  const failure = (code: string, message: string) => ({ code, message: expect.stringContaining(message) as string });

  it('is an error with one sentence, and nobody else\'s', async () => {
    await using cluster = await start();
    const { engine } = cluster.workers[0]!;
    // No token of this vocabulary has the byte of a star.
    const withoutStar = buildVocabulary(TEXTS.map((text) => (text.includes('*'.charCodeAt(0)) ? new Uint8Array() : text)));
    await using poorer = await start({ vocabulary: withoutStar });
    await expect(eventsOf(poorer.workers[0]!.engine, { ...REQUESTS[0]!, constraint: { kind: 'regex', pattern: 'ab\\*' } })).rejects.toMatchObject(failure('invalid_argument', 'no token of this model'));
    const [wrong, right] = await Promise.allSettled([eventsOf(engine, { ...REQUESTS[0]!, constraint: { kind: 'regex', pattern: '(' } }), eventsOf(engine, REQUESTS[0]!)]);
    expect(wrong).toMatchObject({ status: 'rejected', reason: failure('invalid_argument', 'parenthesis') });
    expect(right.status === 'fulfilled' && said(right.value)).toEqual(said((await plain)[0]!));
    await expect(eventsOf(engine, { ...REQUESTS[0]!, generatedIds: [200] })).rejects.toMatchObject(failure('invalid_argument', 'token 200'));
    expect(cluster.kv.usedBytes).toBe(0);
  });

  it('is refused by a lead that does not know what tokens say', async () => {
    await using cluster = await startTiny({ cache: compiled.cache });
    await expect(eventsOf(cluster.workers[0]!.engine, REQUESTS[0]!)).rejects.toMatchObject(failure('unimplemented', 'schema'));
  });
});
