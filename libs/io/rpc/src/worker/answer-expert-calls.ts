import { AppError } from '@essaim/core';
import { type Duplex } from '../bridge/duplex.ts';
import { type CallContext } from '../bridge/call-context.ts';
import { abortedError, statusOf } from '../bridge/status.ts';
import { type ExpertCallFrame, type LeadFrame } from '../frames/lead-frame.ts';
import { type Outcome, type WorkerFrame } from '../frames/worker-frame.ts';
import { fromCallFrame, toResultFrame } from '../mapping/expert-batch.ts';
import { type ExpertApi } from '../services.ts';
import { type Timed, untimed } from '../timed.ts';
import { CALLS_PER_STREAM } from './limits.ts';

export type ExecuteDuplex = Duplex<LeadFrame, WorkerFrame>;

export interface ExpertHost {
  readonly expert: ExpertApi;
  /** Highest snapshot epoch that this worker has applied. */
  readonly epoch: () => number;
  /** Runs what turns the bytes of expert calls into activations, and answers back. Default: without timing it. */
  readonly timed?: Timed;
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
  readonly running: Map<number, AbortController>;
  readonly answers: Set<Promise<void>>;
}

async function readFrames({ host, duplex, running, answers }: OpenStream): Promise<void> {
  await duplex.read((frame) => {
    if (frame.kind === 'cancel') running.get(frame.callId)?.abort(new AppError('cancelled', 'the caller no longer waits'));
    if (frame.kind !== 'call') return null;
    const answer = answerCall(host, frame, running).then((reply) => duplex.send(reply));
    answers.add(answer);
    // A reply that can't be sent has nobody to tell: the stream is gone, and with it the caller.
    void answer.catch(() => undefined).finally(() => answers.delete(answer));
    // Replies that the caller does not read must not pile up: at twice the bound of calls, reading waits for one to leave.
    return answers.size >= 2 * CALLS_PER_STREAM ? Promise.race(answers) : null;
  });
  await Promise.allSettled(answers);
}

async function rejectOnClose({ answers }: OpenStream, closing: AbortSignal): Promise<never> {
  const closed = await rejectOnAbort(closing).catch((error: unknown) => error);
  await Promise.allSettled(answers);
  throw closed;
}

async function answerCall({ expert, epoch, timed = untimed }: ExpertHost, call: ExpertCallFrame, running: Map<number, AbortController>): Promise<WorkerFrame> {
  const { callId, attempt } = call;
  const reply = (outcome: Outcome): WorkerFrame => ({ callId, attempt, epoch: epoch(), outcome });
  const abort = new AbortController();
  try {
    if (running.size >= CALLS_PER_STREAM) throw new AppError('resource_exhausted', `this worker runs ${CALLS_PER_STREAM} expert calls of this lead already`);
    if (running.has(callId)) throw new AppError('invalid_argument', 'a call id is in use already');
    running.set(callId, abort);
    const result = await expert.execute(timed(() => fromCallFrame(call)), abort.signal);
    return reply(timed(() => toResultFrame(result, call)));
  } catch (thrown) {
    const { code, message } = AppError.from(thrown);
    return reply({ kind: 'failure', code: statusOf(code), reason: message });
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
