import { type AgreementBounds } from '../../peer/agreement.ts';
import { type RivalName } from './rival-names.ts';
import { type RivalForm } from './rival.ts';

/**
 * What rounding may do. In float16 on both sides: measured 1.00 and 0.003 with the built-in model, 0.95 and 0.018 of float32 with the synthetic one, whose routers are
 * often undecided; rotary positions with another base gave 0.36 and 0.24. Of the same 4-bit codes: as on the processor. transformers has no 4-bit
 * weights, so beside `int4` it is what quantising does: 0.89 and 0.18 with the built-in model, 0.43 and 0.21 with random weights, which only tells it from
 * another model.
 */
export const BOUNDS: Readonly<Record<RivalName, Readonly<Record<RivalForm, AgreementBounds>>>> = {
  'transformers': { f16: { overlap: 0.8, meanDifference: 0.06 }, int4: { overlap: 0.3, meanDifference: 0.35 } },
  'llama.cpp': { f16: { overlap: 0.8, meanDifference: 0.06 }, int4: { overlap: 0.6, meanDifference: 0.15 } },
};
