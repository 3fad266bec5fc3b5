import { type ComputeDtype, type WeightDtype } from '@essaim/core';
import { fourBits, type WeightBytes } from '../active-weights.ts';

/** How a card holds a model's matrices, and what it multiplies them in. */
export interface GpuForm {
  readonly name: string;
  readonly dtype: WeightDtype;
  readonly compute: ComputeDtype;
  /** The head is multiplied in float32, so its scales, or itself, are. */
  readonly bytes: WeightBytes;
}

/** What Essaim is measured in. Programs find rows by these names: change none. */
export const GPU_FORMS = [
  { name: 'int4', dtype: 'int4', compute: 'f32', bytes: { layers: fourBits(4), head: fourBits(4) } },
  { name: 'int4-f16', dtype: 'int4', compute: 'f16', bytes: { layers: fourBits(2), head: fourBits(4) } },
  { name: 'f16', dtype: 'float32', compute: 'f16', bytes: { layers: 2, head: 4 } },
] as const satisfies readonly GpuForm[];
export type GpuFormName = (typeof GPU_FORMS)[number]['name'];
