import {
  type ClusterSnapshot, type Constraint, type FinishReason, type Lease, type LeaseId, type ModelRef, type PositionLogprobs, type SamplingParams,
  type SequenceEvent, type SequenceRequest, type SequenceStats, type WorkerRegistration, type WorkerReport,
} from '@essaim/core';
import { type ExpertPeer } from '@essaim/dispatch';

/** The control plane as workers and gateways see it. One interface for the server that implements it and the client that calls it. */
export interface ControlPlaneApi {
  /** What the cluster serves: a worker says when it joins what that takes. */
  model(signal: AbortSignal): Promise<ModelRef>;
  /** Fails with `failed_precondition` where the worker does not go with those that are there: joining again will not help. */
  join(registration: WorkerRegistration, signal: AbortSignal): Promise<Lease>;
  /** Renews the lease. Fails with `not_found` when the lease is gone: join again. */
  report(report: WorkerReport, signal: AbortSignal): Promise<void>;
  /** Gives the lease back, after draining. */
  leave(lease: LeaseId, signal: AbortSignal): Promise<void>;
  /** The current snapshot at once, then each newer one; a slow reader skips intermediate ones. Ends only with the signal or the connection. */
  watch(signal: AbortSignal): AsyncIterable<ClusterSnapshot>;
}

/** A worker as gateways see it. */
export interface LeadApi {
  /** Streams until `done`. Aborting the signal frees the sequence within one step. */
  generate(request: SequenceRequest, signal: AbortSignal): AsyncIterable<SequenceEvent>;
}

/** A worker as other workers see it: one long-lived bidirectional stream per pair. */
export type ExpertApi = ExpertPeer;

/** The gateway as gRPC clients see it (`essaim.inference.v1`). */
export interface InferenceApi {
  generate(request: InferenceRequest, call: InferenceCall): AsyncIterable<InferenceEvent>;
  listModels(call: InferenceCall): Promise<readonly InferenceModel[]>;
}

export interface InferenceCall {
  readonly signal: AbortSignal;
  /** The caller's `authorization` metadata, as sent. */
  readonly authorization: string | null;
  /** The caller's `x-request-id` metadata. */
  readonly requestId: string | null;
}

export interface InferenceModel {
  readonly id: string;
  readonly contextLength: number;
}

export interface InferenceRequest {
  readonly model: string;
  readonly prompt: { readonly kind: 'text'; readonly text: string } | { readonly kind: 'tokens'; readonly ids: readonly number[] };
  /** Absent fields take the gateway's defaults. */
  readonly sampling: Partial<Omit<SamplingParams, 'seed'>> & { readonly seed?: bigint };
  readonly maxTokens?: number;
  readonly minTokens: number;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly ignoreEos: boolean;
  /** Lower is served earlier. Absent: 0. */
  readonly priority?: number;
  readonly logprobs: number | null;
  /** Absent: anything. */
  readonly constraint?: InferenceConstraint;
}

/** What an answer must be, as clients may say it. */
export type InferenceConstraint = Extract<Constraint, { readonly kind: 'json object' | 'json schema' | 'regex' | 'grammar' }>;

export type InferenceEvent =
  | { readonly kind: 'delta'; readonly text: string; readonly tokenIds: readonly number[]; readonly logprobs: readonly PositionLogprobs[] }
  | { readonly kind: 'done'; readonly finishReason: FinishReason; readonly promptTokens: number; readonly completionTokens: number; readonly stats: SequenceStats };
