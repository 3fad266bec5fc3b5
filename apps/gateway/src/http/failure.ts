import { AppError, type ErrorCode } from '@essaim/core';
import { ContextLengthError } from '../generation/prompts.ts';

/** OpenAI's form of an error; clients read all four. */
export interface ErrorBody {
  readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string };
}

export interface HttpFailure {
  readonly status: number;
  readonly body: ErrorBody;
}

interface Meaning {
  readonly status: number;
  readonly type: string;
  readonly code: string;
}

const SERVER_ERROR: Meaning = { status: 500, type: 'server_error', code: 'internal_error' };
const UNAVAILABLE: Meaning = { status: 503, type: 'server_error', code: 'service_unavailable' };
const invalid = (code: string, status = 400): Meaning => ({ status, type: 'invalid_request_error', code });

/** The map outward: gRPC's codes in HTTP's and OpenAI's words. What only the cluster's own state can cause is no fault of the client. */
const MEANINGS: Readonly<Record<ErrorCode, Meaning>> = {
  invalid_argument: invalid('invalid_value'),
  out_of_range: invalid('invalid_value'),
  not_found: invalid('not_found', 404),
  unauthenticated: { status: 401, type: 'authentication_error', code: 'invalid_api_key' },
  permission_denied: { status: 403, type: 'permission_error', code: 'permission_denied' },
  resource_exhausted: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  deadline_exceeded: { status: 504, type: 'server_error', code: 'timeout' },
  cancelled: { status: 499, type: 'server_error', code: 'cancelled' },
  unavailable: UNAVAILABLE,
  failed_precondition: UNAVAILABLE,
  aborted: UNAVAILABLE,
  unimplemented: SERVER_ERROR,
  already_exists: SERVER_ERROR,
  data_loss: SERVER_ERROR,
  internal: SERVER_ERROR,
  unknown: SERVER_ERROR,
};

/** Errors that Fastify and Nest throw before any of our code runs, by status; their own texts may quote the request. */
const BEFORE_US: Readonly<Record<number, Meaning & { readonly message: string }>> = {
  400: { ...invalid('invalid_request'), message: 'the request is not valid HTTP or has an empty body: send a JSON object' },
  404: { ...invalid('unknown_url', 404), message: 'nothing is served at this path: see /v1/models, /v1/completions and /v1/chat/completions' },
  405: { ...invalid('method_not_allowed', 405), message: 'this path is served with another method: see the header allow' },
  413: { ...invalid('request_too_large', 413), message: 'the body has more than 1 MiB: send less' },
  414: { ...invalid('uri_too_long', 414), message: 'the path is too long: send a shorter one' },
  415: { ...invalid('unsupported_media_type', 415), message: 'the body is of another type: send JSON with the header content-type: application/json' },
};

/** Any thrown thing as an answer. Of what nobody classified, only a neutral sentence leaves. */
export function toHttpFailure(thrown: unknown): HttpFailure {
  const before = thrown instanceof AppError ? undefined : BEFORE_US[statusOf(thrown)];
  if (before !== undefined) return failure(before, before.message);
  const error = AppError.from(thrown);
  return failure({ ...MEANINGS[error.code], ...specificCode(error) }, error.message, error.param);
}

function specificCode(error: AppError): { readonly code?: string } {
  if (error instanceof ContextLengthError) return { code: 'context_length_exceeded' };
  return error.code === 'not_found' && error.param === 'model' ? { code: 'model_not_found' } : {};
}

function failure({ status, type, code }: Meaning, message: string, param: string | null = null): HttpFailure {
  return { status, body: { error: { message, type, param, code } } };
}

/** Fastify's errors have a `statusCode`, Nest's a `getStatus`. */
function statusOf(thrown: unknown): number {
  const { statusCode, getStatus } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as { readonly statusCode?: unknown; readonly getStatus?: () => number };
  if (typeof statusCode === 'number') return statusCode;
  return typeof getStatus === 'function' ? getStatus.call(thrown) : 500;
}
