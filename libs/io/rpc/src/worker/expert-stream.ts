import { type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { AppError, LIMITS } from '@essaim/core';
import { workerV1 } from '@essaim/contracts';
import { type ExpertBatch, type ExpertPeer } from '@essaim/dispatch';
import { type ActivationDtype } from '../activations/form.ts';
import { type Channel } from '../bridge/channel.ts';
import { type FrameCodec } from '../bridge/service-definition.ts';
import { abortedError, codeOf } from '../bridge/status.ts';
import { encodeLeadFrame, type LeadFrame } from '../frames/lead-frame.ts';
import { decodeWorkerFrame, type FailureFrame, type WorkerFrame } from '../frames/worker-frame.ts';
import { fromResultFrame, toCallFrame } from '../mapping/expert-batch.ts';
import { type Timed } from '../timed.ts';
import { CALLS_PER_STREAM } from './limits.ts';

type Stream = ClientDuplexStream<LeadFrame, WorkerFrame>;

export interface ExpertStreamOptions {
  /** How activations travel, unless the worker can't read it. */
  readonly dtype: ActivationDtype;
  readonly timed: Timed;
}

interface PendingCall {
  readonly batch: ExpertBatch;
  readonly resolve: (result: Float32Array) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * Expert calls to one worker, multiplexed by call id over one stream. The stream opens with the first call; when it fails, every pending
 * call fails with it at once and the next call opens another. How fast a dead worker is tried again is the channel's to bound.
 */
export class ExpertStream implements ExpertPeer {
  readonly #channel: Channel;
  readonly #timed: Timed;
  readonly #codec: FrameCodec<WorkerFrame, LeadFrame>;
  readonly #pending = new Map<number, PendingCall>();
  #stream: Stream | null = null;
  #lastCallId = 0;
  /** As asked for, until the worker turns out not to read it. */
  #dtype: ActivationDtype;

  constructor(channel: Channel, { dtype, timed }: ExpertStreamOptions) {
    this.#channel = channel;
    this.#dtype = dtype;
    this.#timed = timed;
    this.#codec = { encode: encodeLeadFrame, decode: (bytes) => timed(() => decodeWorkerFrame(bytes)) };
  }

  /** Rows that must be the same bits wherever they are computed, those of a batch without `reduce`, travel as f32 whatever was asked for. */
  async execute(batch: ExpertBatch, signal: AbortSignal): Promise<Float32Array> {
    const dtype = batch.reduce ? this.#dtype : 'f32';
    try {
      return await this.#call({ batch, dtype }, signal);
    } catch (thrown) {
      if (dtype === 'f32' || AppError.from(thrown).code !== 'unimplemented') throw thrown;
      this.#dtype = 'f32';
      return this.#call({ batch, dtype: 'f32' }, signal);
    }
  }

  /** Fails what is pending and ends the stream; before its channel is closed. */
  close(): void {
    const stream = this.#stream;
    this.#stream = null;
    this.#fail(new AppError('unavailable', `the connection to worker ${this.#channel.address} is closed`));
    stream?.cancel();
  }

  async #call({ batch, dtype }: { readonly batch: ExpertBatch; readonly dtype: ActivationDtype }, signal: AbortSignal): Promise<Float32Array> {
    if (signal.aborted) throw abortedError(signal);
    const stream = (this.#stream ??= this.#open());
    // Frames that the worker does not take lie in the stream, those of calls that were given up, too.
    if (Math.max(this.#pending.size, stream.writableLength) >= CALLS_PER_STREAM) {
      throw new AppError('resource_exhausted', `worker ${this.#channel.address} has ${CALLS_PER_STREAM} expert calls under way already: call another replica, or this one again in a moment`);
    }
    const callId = ++this.#lastCallId;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#abandon(callId, abortedError(signal));
      const deadline = setTimeout(() => this.#abandon(callId, this.#tooLate()), LIMITS.expertCallMs);
      const settle = <T>(act: (value: T) => void) => (value: T): void => {
        clearTimeout(deadline);
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(callId);
        act(value);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(callId, { batch, resolve: settle(resolve), reject: settle(reject) });
      this.#timed(() => send(stream, toCallFrame(callId, batch, dtype)));
    });
  }

  #open(): Stream {
    const stream = this.#channel.duplex(workerV1.WorkerService.method.execute, this.#codec);
    stream.on('data', (frame: WorkerFrame) => this.#settle(frame));
    const end = (error: AppError): void => {
      if (this.#stream !== stream) return;
      this.#stream = null;
      this.#fail(error);
    };
    stream.on('error', (error: ServiceError) => end(this.#channel.failure(error, 'Execute')));
    stream.on('end', () => end(new AppError('unavailable', `worker ${this.#channel.address} ended its stream`)));
    return stream;
  }

  /** A reply that nobody waits for, or one to an older attempt, is dropped. */
  #settle({ callId, attempt, epoch, outcome }: WorkerFrame): void {
    const call = this.#pending.get(callId);
    if (call === undefined || call.batch.attempt !== attempt) return;
    if (outcome.kind === 'failure') return call.reject(this.#failure(outcome, epoch));
    try {
      if (outcome.kind === 'unknown') throw new AppError('unimplemented', `worker ${this.#channel.address} answers in a way that this version does not know`);
      call.resolve(this.#timed(() => fromResultFrame(outcome, call.batch)));
    } catch (thrown) {
      call.reject(AppError.from(thrown));
    }
  }

  #failure({ code, reason }: FailureFrame, epoch: number): AppError {
    const error = codeOf(code) ?? 'unknown';
    return new AppError(error, error === 'failed_precondition' ? `${reason} (worker ${this.#channel.address} is at epoch ${epoch})` : reason);
  }

  /** The caller no longer waits, so the worker need not work on it. */
  #abandon(callId: number, error: AppError): void {
    this.#pending.get(callId)?.reject(error);
    if (this.#stream !== null) send(this.#stream, { kind: 'cancel', callId });
  }

  #fail(error: AppError): void {
    for (const call of [...this.#pending.values()]) call.reject(error);
  }

  #tooLate(): AppError {
    return new AppError('deadline_exceeded', `worker ${this.#channel.address} did not answer an expert call within ${LIMITS.expertCallMs} ms`);
  }
}

/** What HTTP/2 can't take yet waits in the stream, by reference and in bounded number. */
const send = (stream: Stream, frame: LeadFrame): void => void stream.write(frame);
