import { type WeightDtype, type WeightPrecision } from '@essaim/core';

/** The form in which the weights of a checkpoint run unless somebody asks for another: of those that the engine has, the one next to theirs. */
export const defaultDtype = (precision: WeightPrecision): WeightDtype => (precision === 'nvfp4' ? 'int4' : 'int8');

/** The built-in model is small enough to run as it was trained. */
export const BUILT_IN_DTYPE: WeightDtype = 'float32';
