import { type Clock, type ErrorCode } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';
import { type Metrics } from '../metrics.ts';
import { type GenerationRequest, promptTokenCount, sequenceCount } from './request.ts';

export interface RecordPorts {
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How one request went, for log and metrics: how much and how long, never what. */
export class GenerationRecord {
  completionTokens = 0;
  /** A reader that leaves says nothing, so that without a word it has left. */
  outcome: ErrorCode | 'done' = 'cancelled';
  readonly #request: GenerationRequest;
  readonly #ports: RecordPorts;
  readonly #startMs: number;

  /** From the moment that the request is admitted. */
  constructor(request: GenerationRequest, ports: RecordPorts) {
    this.#request = request;
    this.#ports = ports;
    this.#startMs = ports.clock.nowMs();
    ports.metrics.promptTokens.inc(promptTokenCount(request));
  }

  /** Once, at the end. */
  write(): void {
    const { metrics, clock, log } = this.#ports;
    const { outcome, completionTokens } = this;
    const { requestId } = this.#request;
    metrics.generations.inc({ outcome });
    const durationMs = Math.round(clock.nowMs() - this.#startMs);
    log.info({ requestId, outcome, sequences: sequenceCount(this.#request), promptTokens: promptTokenCount(this.#request), completionTokens, durationMs }, 'generated');
  }
}
