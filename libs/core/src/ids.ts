declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** A worker process, for as long as it lives; a restarted process joins under a new id. */
export type WorkerId = Branded<string, 'WorkerId'>;
/** An outside request, as in the `x-request-id` header. */
export type RequestId = Branded<string, 'RequestId'>;
/** One generation inside the cluster; a request with n > 1 has several. */
export type SequenceId = Branded<string, 'SequenceId'>;
export type LeaseId = Branded<string, 'LeaseId'>;

export const workerId = (text: string): WorkerId => text as WorkerId;
export const requestId = (text: string): RequestId => text as RequestId;
export const sequenceId = (text: string): SequenceId => text as SequenceId;
export const leaseId = (text: string): LeaseId => text as LeaseId;
