import { type BenchModel } from '../../models.ts';
import { type Contender } from '../../peer/contender.ts';
import { type RivalName } from './rival-names.ts';

/** Another engine that is measured beside Essaim, on the same card with the same weights. */
export interface Rival {
  readonly name: RivalName;
  /** Fails with one sentence where it can't be had or does not take the model. */
  start(model: BenchModel, form: RivalForm, stop: AbortSignal): Promise<RunningRival>;
}

/** Of Essaim's weights: a rival takes what comes closest. */
export type RivalForm = 'int4' | 'f16';

/** It has the model on the card, and answers. Dispose of it and the card is free. */
export interface RunningRival extends AsyncDisposable {
  readonly contender: Contender;
  /** What ran, in words: versions, form of the weights, settings. */
  readonly about: string;
}
