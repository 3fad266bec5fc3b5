import { type ModelRef, WEIGHT_DTYPES } from '@essaim/core';
import { choiceVariable, flagVariable, textVariable } from './environment.ts';

/** The model that a cluster serves, as its processes are told. Fails with `invalid_argument` naming the variable that is missing or wrong. */
export const modelVariables = (): ModelRef => ({
  id: textVariable('ESSAIM_MODEL_ID'),
  directory: textVariable('ESSAIM_MODEL'),
  dtype: choiceVariable('ESSAIM_DTYPE', WEIGHT_DTYPES),
  deterministic: flagVariable('ESSAIM_DETERMINISTIC'),
});
