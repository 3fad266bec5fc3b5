import { type Summary } from '../statistics.ts';
import { type Shares } from './shares.ts';
import { type StepSplit } from './step-split.ts';

/** What a model on the card does, over the rounds. */
export interface ModelRow extends Summary {
  readonly model: string;
  readonly engine: string;
  /** Of its weights and products, by the name that the engine has for it. */
  readonly form: string;
  readonly name: string;
  readonly unit: string;
  readonly shares: Shares;
  /** Null of an engine that doesn't tell. */
  readonly step: StepSplit | null;
}

/** What there is no row of, and why. */
export interface Omission {
  readonly model: string;
  readonly engine: string;
  readonly form: string;
  /** Null for every row. */
  readonly name: string | null;
  /** `refused` is what the card can't do; all else went wrong. */
  readonly kind: 'refused' | 'failed';
  /** One sentence, without a full stop. */
  readonly reason: string;
}

/** What became of one model, or of all. */
export interface Findings {
  readonly rows: readonly ModelRow[];
  readonly omissions: readonly Omission[];
}
