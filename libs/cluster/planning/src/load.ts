/** What the cluster is asked to carry. */
export interface PlannedLoad {
  /** Copies of each expert. */
  readonly replicas: number;
  /** Tokens of each stream, prompt and answer together. */
  readonly contextTokens: number;
  /** Sequences that run at once, shared out evenly over the workers, all of which lead. */
  readonly streams: number;
  /** Of one value of an activation between workers. */
  readonly wireBytesPerValue: number;
}

/** Guesses, named so that a measurement can replace each. Shares of what the topology says that the engine reaches. */
export interface Efficiency {
  readonly memory: number;
  readonly compute: number;
  readonly link: number;
}

export const ASSUMED_EFFICIENCY: Efficiency = { memory: 0.7, compute: 0.4, link: 0.8 };

/** Of figures that were measured with the engine itself. */
export const MEASURED_EFFICIENCY: Efficiency = { memory: 1, compute: 1, link: 1 };

/** Of a device's memory, for weights, keys, values and activations; the rest is the system's. */
export const MEMORY_SHARE = 0.9;

/** Streams that the busiest worker leads. */
export const streamsPerLead = (streams: number, workers: number): number => Math.ceil(streams / workers);
