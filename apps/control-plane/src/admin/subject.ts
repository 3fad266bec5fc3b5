import { type ModelRef, type ModelSpec } from '@essaim/core';
import { type ClusterView } from '../cluster-service.ts';

/** What the admin API shows. */
export interface AdminSubject {
  readonly cluster: ClusterView;
  readonly model: ModelRef;
  readonly spec: ModelSpec;
}

/** Names under which Nest injects what has no class of its own. */
export const SUBJECT = Symbol('AdminSubject');
export const METRICS = Symbol('Registry');
