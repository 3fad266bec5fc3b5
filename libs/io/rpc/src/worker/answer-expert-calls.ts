import { type MessageInitShape } from '@bufbuild/protobuf';
import { AppError } from '@essaim/core';
import { type workerV1 } from '@essaim/contracts';
import { type CallContext, type Duplex } from '../bridge/service.ts';
import { abortedError, statusOf } from '../bridge/status.ts';
import { fromWireCall, toWireResult } from '../mapping/expert-batch.ts';
import { type ExpertApi } from '../services.ts';
import { CALLS_PER_STREAM } from './limits.ts';

type Reply = MessageInitShape<typeof workerV1.ExecuteResponseSchema>;
export type ExecuteDuplex = Duplex<workerV1.ExecuteRequest, Reply>;

export interface ExpertHost {
  readonly expert: ExpertApi;
  /** Highest snapshot epoch that this worker has applied. */
  readonly epoch: () => number;
}

/**
 * Runs the calls of one stream side by side and answers each when it is done. Ends when the caller ends the stream or is gone, or, once
 * the calls under way are answered, when the server closes.
 */
export async function answerExpertCalls(host: ExpertHost, duplex: ExecuteDuplex, context: CallContext): Promise<void> {
  const stream: OpenStream = { host, duplex, running: new Map(), answers: new Set() };
  try {
    await Promise.race([readFrames(stream), rejectOnAbort(context.signal), rejectOnClose(stream, AbortSignal.any([context.closing]))]);
  } finally {
    for (const call of stream.running.values()) call.abort(new AppError('cancelled', 'the caller is gone'));
  }
}

interface OpenStream {
  readonly host: ExpertHost;
  readonly duplex: ExecuteDuplex;
  readonly running: Map<bigint, AbortController>;
  readonly answers: Set<Promise<void>>;
}

async function readFrames({ host, duplex, running, answers }: OpenStream): Promise<void> {
  for await (const { frame } of duplex.requests) {
    if (frame.case === 'cancel') running.get(frame.value.callId)?.abort(new AppError('cancelled', 'the caller no longer waits'));
    if (frame.case !== 'call') continue;
    const answer = answerCall(host, frame.value, running).then((response) => duplex.send(response));
    answers.add(answer);
    // A reply that can't be sent has nobody to tell: the stream is gone, and with it the caller.
    void answer.catch(() => undefined).finally(() => answers.delete(answer));
    // Replies that the caller does not read must not pile up: at twice the bound of calls, reading waits for one to leave.
    if (answers.size >= 2 * CALLS_PER_STREAM) await Promise.race(answers);
  }
  await Promise.allSettled(answers);
}

async function rejectOnClose({ answers }: OpenStream, closing: AbortSignal): Promise<never> {
  const closed = await rejectOnAbort(closing).catch((error: unknown) => error);
  await Promise.allSettled(answers);
  throw closed;
}

async function answerCall({ expert, epoch }: ExpertHost, call: workerV1.ExpertCall, running: Map<bigint, AbortController>): Promise<Reply> {
  const { callId, attempt } = call;
  const reply = (outcome: NonNullable<Reply['outcome']>): Reply => ({ callId, attempt, epoch: BigInt(epoch()), outcome });
  const abort = new AbortController();
  try {
    if (running.size >= CALLS_PER_STREAM) throw new AppError('resource_exhausted', `this worker runs ${CALLS_PER_STREAM} expert calls of this lead already`);
    if (running.has(callId)) throw new AppError('invalid_argument', 'a call id is in use already');
    running.set(callId, abort);
    return reply({ case: 'result', value: toWireResult(await expert.execute(fromWireCall(call), abort.signal), call) });
  } catch (thrown) {
    const { code, message } = AppError.from(thrown);
    return reply({ case: 'failure', value: { code: statusOf(code), reason: message } });
  } finally {
    if (running.get(callId) === abort) running.delete(callId);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(abortedError(signal));
    else signal.addEventListener('abort', () => reject(abortedError(signal)), { once: true });
  });
}
