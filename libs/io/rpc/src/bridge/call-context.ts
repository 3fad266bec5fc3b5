import { type ClusterIdentity } from '@essaim/auth/identity';

/** What a handler may know of a call beside its message. */
export interface CallContext {
  /** Aborts when the caller is gone, has cancelled, or its deadline passed. */
  readonly signal: AbortSignal;
  /** Aborts when the server closes: streams without an end of their own end then. */
  readonly closing: AbortSignal;
  /** Null where callers need no certificate. */
  readonly caller: ClusterIdentity | null;
  /** The first value of a metadata key as text, or null. */
  metadata(key: string): string | null;
}
