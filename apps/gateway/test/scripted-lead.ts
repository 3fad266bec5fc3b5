import { once } from 'node:events';
import { AppError, type PositionLogprobs, type SequenceEvent, type SequenceRequest, type SequenceStats, type WorkerId, workerId } from '@essaim/core';
import { type GrpcServer, type LeadApi, serveWorker } from '@essaim/rpc';
import { type Certificates } from './certificates.ts';
import { model } from './model.ts';

/** What every lead answers, again and again: characters of one to four bytes, some of them spread over several tokens. */
export const STORY = "Il était une fois un roi 🙂 et 漢字.\n";
const STORY_IDS = model.tokenizer.encode(STORY, { addSpecialTokens: false });

/** The token at a position of an answer depends on nothing else, as with one seed. */
export const tokenAt = (position: number): number => STORY_IDS[position % STORY_IDS.length]!;

/** The text of an answer of so many tokens. */
export const answerText = (tokens: number): string => model.tokenizer.decode(Array.from({ length: tokens }, (_, position) => tokenAt(position)));

const logprobsOf = (id: number, count: number): PositionLogprobs => ({ logprob: -0.5, top: Array.from({ length: count }, (_, rank) => ({ id: id + rank, logprob: -0.5 - rank })) });

export type Script = (request: SequenceRequest, signal: AbortSignal) => AsyncIterable<SequenceEvent>;

export const statsOf = (lead: WorkerId): SequenceStats => ({ lead, workers: [lead], cachedPromptTokens: 0, acceptedDraftTokens: 3, rejectedDraftTokens: 1, localExpertCalls: 1, remoteExpertCalls: 2, retriedExpertCalls: 0, epoch: 1 });

export const aborted = (signal: AbortSignal): Promise<unknown> => (signal.aborted ? Promise.resolve() : once(signal, 'abort'));

/** Some tokens, and then nothing until nobody wants more. */
export async function* storyThenSilence({ generatedIds, logprobs }: SequenceRequest, tokens: number, signal: AbortSignal): AsyncGenerator<SequenceEvent> {
  for (let position = generatedIds.length; position < generatedIds.length + tokens; position++) yield { kind: 'token', id: tokenAt(position), logprobs: logprobs === null ? null : logprobsOf(tokenAt(position), logprobs) };
  await aborted(signal);
}

/** The whole answer, on from the tokens that are already out, to a prompt of which all but the last token was known. */
export async function* story(lead: WorkerId, { promptIds, generatedIds, maxTokens, logprobs, promptLogprobs }: SequenceRequest): AsyncGenerator<SequenceEvent> {
  if (promptLogprobs !== null) yield { kind: 'prompt', logprobs: promptIds.map((id, position) => (position === 0 ? null : logprobsOf(id, promptLogprobs))) };
  for (let position = generatedIds.length; position < maxTokens; position++) {
    yield { kind: 'token', id: tokenAt(position), logprobs: logprobs === null ? null : logprobsOf(tokenAt(position), logprobs) };
  }
  yield { kind: 'done', finishReason: 'length', stats: { ...statsOf(lead), cachedPromptTokens: promptIds.length - 1 } };
}

/** A worker behind a real socket that answers by a script. */
export class ScriptedLead implements LeadApi {
  readonly id: WorkerId;
  /** Without the probes of the gateway. */
  readonly requests: SequenceRequest[] = [];
  script: Script;
  /** What it answers to a gateway that asks whether the placement works. */
  probeScript: Script;
  #server: GrpcServer | null = null;

  constructor(name: string) {
    this.id = workerId(name);
    this.script = (request) => story(this.id, request);
    this.probeScript = (request) => story(this.id, request);
  }

  get address(): string {
    return this.#server?.address ?? '';
  }

  async listen({ worker }: Certificates): Promise<this> {
    const expert = { execute: () => Promise.reject(new AppError('unimplemented', 'no experts here')) };
    this.#server = await serveWorker({ lead: this, expert, epoch: () => 1 }, { host: '127.0.0.1', port: 0, tls: worker });
    return this;
  }

  generate(request: SequenceRequest, signal: AbortSignal): AsyncIterable<SequenceEvent> {
    if (request.sequenceId.startsWith('probe-')) return this.probeScript(request, signal);
    this.requests.push(request);
    return this.script(request, signal);
  }

  /** As a killed process: every connection breaks. */
  async die(): Promise<void> {
    await this.#server?.close({ graceMs: 0 });
  }
}
