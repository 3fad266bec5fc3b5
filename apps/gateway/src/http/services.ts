import { type Clock } from '@essaim/core';
import { type Logger } from '@essaim/telemetry';
import { type Readiness } from '../cluster/readiness.ts';
import { type Generation } from '../generation/generation.ts';
import { type RequestContext } from '../generation/to-request.ts';
import { type Metrics } from '../metrics.ts';

/** What the controllers share. esbuild emits no types of parameters, so that Nest injects by this name. */
export const GATEWAY = Symbol('gateway');

export interface GatewayServices {
  readonly context: RequestContext;
  readonly generation: Generation;
  readonly readiness: Pick<Readiness, 'state'>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}
