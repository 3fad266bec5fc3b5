import { type Summary } from '../statistics.ts';
import { type RivalName } from './peers/rival-names.ts';
import { type Shares } from './shares.ts';
import { type StepSplit } from './step-split.ts';

/** What Essaim does with a model on the card, over the rounds. */
export interface ModelRow extends Summary {
  readonly model: string;
  readonly engine: string;
  /** Of its weights and products, by the name that the engine has for it. */
  readonly form: string;
  readonly name: string;
  readonly unit: string;
  readonly shares: Shares;
  /** Null where it could not be told. */
  readonly step: StepSplit | null;
  /** What those that were measured in the same rounds do. */
  readonly beside: Readonly<Partial<Record<RivalName, Beside>>>;
}

/** A rival's rate. */
export interface Beside extends Summary {
  /** Essaim's rate over it, within each round that has both. */
  readonly ratio: Summary;
}

/** What was measured beside one form of Essaim's. */
export interface RivalNote {
  readonly model: string;
  readonly engine: RivalName;
  /** Essaim's. */
  readonly form: string;
  /** Versions, form of the weights and settings, in words. */
  readonly about: string;
}

/** What there is no row of, and why. */
export interface Omission {
  readonly model: string;
  readonly engine: string;
  readonly form: string;
  /** Null for every row. */
  readonly name: string | null;
  /** `refused` is what the card can't do, and a rival that is not to be had or can't do it; all else went wrong. */
  readonly kind: 'refused' | 'failed';
  /** One sentence, without a full stop. */
  readonly reason: string;
}

/** Of a model in a form that are known. */
export type OwnOmission = Omit<Omission, 'model' | 'form'>;

/** What became of one model, or of all. */
export interface Findings {
  readonly rows: readonly ModelRow[];
  readonly rivals: readonly RivalNote[];
  readonly omissions: readonly Omission[];
}
