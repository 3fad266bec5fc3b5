/** Every bound of the system that more than one package must agree on. Units last in each name. */
export const LIMITS = {
  /** HTTP and gRPC request bodies from outside. */
  requestBodyBytes: 1 << 20,
  /** Largest internal gRPC message: one dispatch frame of a full step at hidden 8192 in f32, with room. */
  frameBytes: 256 << 20,
  /** Sequences of one request (`n` times the number of prompts). */
  sequencesPerRequest: 128,
  stopStrings: 16,
  stopStringChars: 256,
  logitBiasEntries: 1024,
  topLogprobs: 20,
  /** Text of one constraint, schemas, patterns and grammars together, in UTF-16 units. */
  constraintChars: 1 << 16,
  /** The worst priority; the best is its negative. */
  priority: 100,
  /** Sequences one lead worker keeps waiting before it refuses with resource_exhausted. */
  waitingSequences: 512,
  /** Sequences one lead worker runs together in a step unless it is told otherwise, and the most that it can be told: half of a step's tokens stay for prompts. */
  runningSequences: 64,
  mostRunningSequences: 128,
  /** Tokens of one step. */
  stepTokens: 256,
  /** Tokens that a sequence may guess in one step. */
  draftTokens: 32,
  /** Lease of a worker on a processor; every worker reports three times as often. */
  leaseTtlMs: 3_000,
  /** Lease of a worker on a card: its driver blocks it while weights go there, and while it compiles what runs for the first time. */
  cardLeaseTtlMs: 15_000,
  /** One expert call, from sending the frame to the reply. */
  expertCallMs: 5_000,
  /** Attempts of one expert call over replicas and epochs before its sequences fail. */
  expertCallAttempts: 4,
  /** One generation, unless the client's own deadline is sooner. */
  generationMs: 600_000,
} as const;
