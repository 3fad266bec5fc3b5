import { AppError, ERROR_CODES, type ErrorCode } from '@essaim/core';
import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

/** gRPC's status numbers, from https://grpc.io/docs/guides/status-codes: ERROR_CODES is in their order, after OK = 0. */
export const statusOf = (code: ErrorCode): number => ERROR_CODES.indexOf(code) + 1;

/** The code of a status number; null for OK and for numbers that gRPC does not have. */
export const codeOf = (status: number): ErrorCode | null => ERROR_CODES[status - 1] ?? null;

/** The other side is gone or was never reached, as opposed to an `unavailable` that it said itself. */
export class ConnectionLost extends AppError {}

/** Trailer that marks a status as a sentence of ours; a status without it was made by the library or by something in between. */
const SENTENCE_MARK = 'essaim-sentence';

/** The outward map of errors. Of an unclassified one only AppError.from's neutral sentence leaves the process. */
export function toStatus(error: AppError): StatusObject {
  const metadata = new Metadata();
  metadata.set(SENTENCE_MARK, '1');
  return { code: statusOf(error.code), details: error.message, metadata };
}

export interface CallSite {
  /** host:port that was called. */
  readonly address: string;
  /** For sentences: 'Join' */
  readonly method: string;
}

/** What a failed call means to its caller. The library's own texts stay as cause; its codes become what one can act on. */
export function fromStatus(error: ServiceError, { address, method }: CallSite): AppError {
  const code = codeOf(error.code) ?? 'unknown';
  if (error.metadata?.get(SENTENCE_MARK).length > 0) return new AppError(code, error.details, { cause: error });
  switch (code) {
    case 'deadline_exceeded':
      return new AppError(code, `${method} at ${address} did not end before its deadline`, { cause: error });
    case 'unimplemented':
      return new AppError(code, `${address} does not know ${method}: its version is another`, { cause: error });
    case 'resource_exhausted':
      return new AppError(code, `${method} at ${address} exceeded a message limit`, { cause: error });
    case 'internal':
      return isConnectionLoss(error) ? lost(error, address) : new AppError(code, `${method} at ${address} broke the protocol`, { cause: error });
    default:
      return lost(error, address);
  }
}

/** A stream that the other side reset: its process was ended, or its server forced shut. */
const isConnectionLoss = (error: ServiceError): boolean => /RST_STREAM|ECONNRESET|session/i.test(error.details);

function lost(error: ServiceError, address: string): ConnectionLost {
  const distrust = /certificate|SSL routines/i.test(error.details);
  const reason = distrust
    ? `${address} and this process do not trust each other: both need certificates of the same cluster, each for its own role`
    // Who refuses a certificate often just drops the connection.
    : `${address} can't be reached or dropped the connection: it may be down, still starting, or refuse this process's certificate`;
  return new ConnectionLost('unavailable', reason, { cause: error });
}

/** Why a caller's own signal ended a call. A reason that nobody classified is a plain cancellation. */
export function abortedError(signal: AbortSignal): AppError {
  const error = AppError.from(signal.reason);
  return error.code === 'internal' ? new AppError('cancelled', 'the request was cancelled', { cause: signal.reason }) : error;
}
