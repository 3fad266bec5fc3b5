import { type ModelSpec } from './model-spec.ts';

/** What the matrices are stored in: floats of 16 or 32 bits, e4m3 with scales, or e2m1 in blocks of 16 with scales. */
export type WeightPrecision = 'float' | 'fp8' | 'nvfp4';

/** A model and what else its configuration says of the checkpoint's files. */
export interface ModelDescription extends ModelSpec {
  readonly precision: WeightPrecision;
  /** Layers behind the model's own that guess further tokens (multi-token prediction). They are not read. */
  readonly predictorLayerCount: number;
  /** The checkpoint sees images too; only its text part is described and read. */
  readonly vision: boolean;
}
