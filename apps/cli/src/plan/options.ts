import { join } from 'node:path';
import { AppError, type KvDtype, type ModelDescription } from '@essaim/core';
import { type PlannedDtype, type PlannedLoad } from '@essaim/planning';
import { type ActivationDtype, DEFAULT_ACTIVATION_DTYPE } from '@essaim/rpc/activations';
import { BUILT_IN_DTYPE, defaultDtype } from '../default-dtype.ts';
import { packageRoot } from '../package-root.ts';

export interface PlanFlags {
  readonly model?: string;
  readonly cluster?: string;
  readonly dtype?: PlannedDtype;
  readonly kvDtype?: KvDtype;
  readonly replicas: number;
  readonly context?: number;
  readonly streams: number;
  readonly price?: number;
  readonly json?: true;
  readonly list?: true;
}

/** Scales of int8 left out, a few per cent. */
const WIRE_BYTES: Readonly<Record<ActivationDtype, number>> = { f32: 4, f16: 2, bf16: 2, int8: 1 };
/** As clusters run unless told otherwise. */
export const WIRE_BYTES_PER_VALUE = WIRE_BYTES[DEFAULT_ACTIVATION_DTYPE];
const DEFAULT_CONTEXT_TOKENS = 4096;

export const modelPathOf = ({ model }: PlanFlags): string => model ?? join(packageRoot(), 'deploy', 'models', 'petit');

/** Fails with `invalid_argument` for more tokens than the model reads. */
export function loadOf({ replicas, context, streams }: PlanFlags, { contextLength }: ModelDescription): PlannedLoad {
  if (context !== undefined && context > contextLength) {
    throw new AppError('invalid_argument', `--context ${context} is more than the ${contextLength} tokens that the model reads: lower --context`);
  }
  return { replicas, streams, contextTokens: context ?? Math.min(DEFAULT_CONTEXT_TOKENS, contextLength), wireBytesPerValue: WIRE_BYTES_PER_VALUE };
}

/** Unless told otherwise as `essaim up` runs it. */
export function dtypeOf({ dtype, model }: PlanFlags, { precision }: ModelDescription): PlannedDtype {
  return dtype ?? (model === undefined ? BUILT_IN_DTYPE : defaultDtype(precision));
}
