import { type SequenceStats } from '@essaim/core';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const FIRST_TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const INTER_TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What /metrics tells. Label values are routes and status codes: few, and never what a client chose. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Counter({ name: 'essaim_gateway_requests_total', help: 'Requests answered, by route and status.', labelNames: ['route', 'status'], registers: [this.registry] });
  readonly generations = new Counter({ name: 'essaim_gateway_generations_total', help: "Requests that reached the cluster, by how they ended: 'done' or an error code.", labelNames: ['outcome'], registers: [this.registry] });
  readonly promptTokens = new Counter({ name: 'essaim_gateway_prompt_tokens_total', help: 'Tokens of prompts that were taken.', registers: [this.registry] });
  readonly completionTokens = new Counter({ name: 'essaim_gateway_completion_tokens_total', help: 'Tokens generated for answers.', registers: [this.registry] });
  readonly draftTokens = new Counter({ name: 'essaim_gateway_draft_tokens_total', help: "Tokens that leads guessed, by whether they became part of an answer: 'accepted' or 'rejected'.", labelNames: ['outcome'], registers: [this.registry] });
  readonly firstTokenSeconds = new Histogram({ name: 'essaim_gateway_time_to_first_token_seconds', help: 'From the request until the first token of each sequence.', buckets: FIRST_TOKEN_SECONDS, registers: [this.registry] });
  readonly interTokenSeconds = new Histogram({ name: 'essaim_gateway_inter_token_seconds', help: 'Between two tokens of a sequence.', buckets: INTER_TOKEN_SECONDS, registers: [this.registry] });
  readonly failovers = new Counter({ name: 'essaim_gateway_failovers_total', help: 'Sequences that went on at another lead worker.', registers: [this.registry] });
  readonly readyEpoch = new Gauge({ name: 'essaim_gateway_ready_epoch', help: 'Epoch of the placement that generated a token; 0 while this gateway is not ready.', registers: [this.registry] });

  /** @param sequencesInFlight asked when somebody reads the metrics */
  constructor(sequencesInFlight: () => number) {
    new Gauge({
      name: 'essaim_gateway_sequences_in_flight', help: 'Sequences under way.', registers: [this.registry],
      collect() {
        this.set(sequencesInFlight());
      },
    });
  }

  countDrafts({ acceptedDraftTokens, rejectedDraftTokens }: Pick<SequenceStats, 'acceptedDraftTokens' | 'rejectedDraftTokens'>): void {
    this.draftTokens.inc({ outcome: 'accepted' }, acceptedDraftTokens);
    this.draftTokens.inc({ outcome: 'rejected' }, rejectedDraftTokens);
  }

  /** A timer for one sequence that starts now: call what it returns for each token. */
  tokenTimer(nowMs: () => number): () => void {
    let lastMs = nowMs();
    let histogram = this.firstTokenSeconds;
    return () => {
      const ms = nowMs();
      histogram.observe((ms - lastMs) / 1_000);
      this.completionTokens.inc();
      [lastMs, histogram] = [ms, this.interTokenSeconds];
    };
  }
}
