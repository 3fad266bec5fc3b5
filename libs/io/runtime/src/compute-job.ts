import { assert } from '@essaim/core';

/**
 * Jobs for the threads that compute beside the one that serves. A job is a few integers in memory that all of them see; its floats lie in an
 * arena, named by where they begin. What has no place there, like files to load, comes as messages that a job of its own announces.
 */
export type ComputeJob =
  | { readonly kind: 'messages' }
  | AttendJob
  | { readonly kind: 'feed-forward'; readonly layer: number; readonly groups: readonly FeedForwardGroup[]; readonly output: JobOutput }
  | { readonly kind: 'head'; readonly rows: number; readonly inputAt: number; readonly output: JobOutput };

export interface AttendJob {
  readonly kind: 'attend';
  readonly layer: number;
  readonly rows: number;
  readonly even: boolean;
  /** Another one for each step of the process, the same for all layers of one. */
  readonly stepId: number;
  readonly hiddenAt: number;
  readonly cosAt: number;
  readonly sinAt: number;
  /** Where the model scales no queries there are none, and nobody looks. */
  readonly queryScaleAt: number;
  readonly output: JobOutput;
  readonly spans: readonly JobSpan[];
}

export interface JobSpan {
  readonly cacheId: number;
  readonly row: number;
  readonly count: number;
  readonly first: number;
}

export interface FeedForwardGroup {
  /** Null for the network that all tokens pass. */
  readonly expert: number | null;
  readonly rows: number;
  readonly inputAt: number;
}

/** Thread n of those beside the serving one writes its result at `at` + n * `stride`. */
export interface JobOutput {
  readonly at: number;
  readonly stride: number;
}

const KINDS = ['messages', 'attend', 'feed-forward', 'head'] as const;
/** Enough for a step of as many sequences, and for a layer of as many experts, as there ever are. */
export const JOB_INTEGERS = 1 << 14;

export function writeJob(job: ComputeJob, integers: Int32Array): void {
  const words: number[] = [KINDS.indexOf(job.kind)];
  if (job.kind === 'attend') {
    words.push(job.layer, job.rows, Number(job.even), job.stepId, job.hiddenAt, job.cosAt, job.sinAt, job.queryScaleAt, job.output.at, job.output.stride, job.spans.length);
    for (const { cacheId, row, count, first } of job.spans) words.push(cacheId, row, count, first);
  } else if (job.kind === 'feed-forward') {
    words.push(job.layer, job.output.at, job.output.stride, job.groups.length);
    for (const { expert, rows, inputAt } of job.groups) words.push(expert ?? -1, rows, inputAt);
  } else if (job.kind === 'head') {
    words.push(job.rows, job.inputAt, job.output.at, job.output.stride);
  }
  assert(words.length <= integers.length, 'a job fits the integers that are there for it');
  integers.set(words);
}

export function readJob(integers: Int32Array): ComputeJob {
  let next = 0;
  const word = (): number => integers[next++]!;
  const output = (): JobOutput => ({ at: word(), stride: word() });
  const kind = KINDS[word()];
  switch (kind) {
    case 'attend': {
      const [layer, rows, even, stepId, hiddenAt, cosAt, sinAt, queryScaleAt] = [word(), word(), word() === 1, word(), word(), word(), word(), word()];
      const result = output();
      const spans = Array.from({ length: word() }, () => ({ cacheId: word(), row: word(), count: word(), first: word() }));
      return { kind, layer, rows, even, stepId, hiddenAt, cosAt, sinAt, queryScaleAt, output: result, spans };
    }
    case 'feed-forward': {
      const [layer, result] = [word(), output()];
      const groups = Array.from({ length: word() }, () => {
        const [expert, rows, inputAt] = [word(), word(), word()];
        return { expert: expert < 0 ? null : expert, rows, inputAt };
      });
      return { kind, layer, groups, output: result };
    }
    case 'head':
      return { kind, rows: word(), inputAt: word(), output: output() };
    default:
      return { kind: 'messages' };
  }
}

/** Of a feed-forward job's group. */
export const feedForwardName = (layer: number, expert: number | null): string => (expert === null ? `dense.${layer}` : `expert.${layer}.${expert}`);
