import Table from 'cli-table3';
import { type ExpertPhase, EXPERT_PHASES, LEAD_PHASES, type LeadPhase } from '@essaim/core';
import { type Summary } from '../statistics.ts';
import { type ThroughputRow } from './throughput.ts';

const LEAD_NAMES: Readonly<Record<LeadPhase, string>> = {
  schedule: 'scheduling', dense: 'dense part', dispatch: 'grouping and summing rows', experts: 'own experts', serialise: 'activations to bytes and back',
  remote: 'waiting for other workers', sample: 'sampling', idle: 'nothing to lead',
};
const EXPERT_NAMES: Readonly<Record<ExpertPhase, string>> = { queue: 'calls wait', compute: 'calls run', serialise: 'activations to bytes and back' };

/** Tokens per second of 16 streams, medians, with the ratio to the one process. */
export function throughputTable(rows: readonly ThroughputRow[]): string {
  const table = tableOf('16 streams, tokens/s', rows);
  table.push(['answers', ...rows.map(({ answers, answersRatio }) => rateCell(answers, answersRatio))], ['decode', ...rows.map(({ decode, decodeRatio }) => rateCell(decode, decodeRatio))]);
  return table.toString();
}

/** Stacks of what leads do, which add up to the time of a token, and what becomes of expert calls meanwhile. */
export function breakdownTable(rows: readonly ThroughputRow[]): string {
  const table = tableOf('microseconds per token', rows);
  const totals = rows.map(({ breakdown: { lead } }) => LEAD_PHASES.reduce((sum, phase) => sum + lead[phase], 0));
  for (const phase of LEAD_PHASES) table.push([LEAD_NAMES[phase], ...rows.map(({ breakdown }, index) => shareCell(breakdown.lead[phase], totals[index]!))]);
  table.push(['a lead in all', ...totals.map((total) => shareCell(total, total))]);
  for (const phase of EXPERT_PHASES) table.push([`experts: ${EXPERT_NAMES[phase]}`, ...rows.map(({ breakdown }, index) => shareCell(breakdown.expert[phase], totals[index]!))]);
  table.push(['steps of a lead', ...rows.map(({ breakdown }) => breakdown.steps.toFixed(0))]);
  return table.toString();
}

/** Who has how much of the machine, and what that means. */
export function coresLine(rows: readonly ThroughputRow[], cores: number): string {
  const over = rows.filter(({ workers, threadsPerWorker }) => workers * threadsPerWorker > cores);
  const note = over.map(({ workers, threadsPerWorker }) => `; ${workers} workers have ${workers * threadsPerWorker} threads on ${cores} cores`).join('');
  return `mean over the workers of each cluster; a token is one of all answers, so that the lead's rows add up to the time between two of them${note}`;
}

type Cells = [string, ...string[]];

function tableOf(what: string, rows: readonly ThroughputRow[]): { push(...rows: Cells[]): number; toString(): string } {
  const names = rows.map(({ workers, threadsPerWorker }) => `${workers} x ${threadsPerWorker} thread${threadsPerWorker === 1 ? '' : 's'}`);
  return new Table({ head: [what, ...names], style: { head: [], border: [], compact: true }, colAligns: ['left', ...rows.map(() => 'right' as const)] });
}

const rateCell = (rate: Summary, { median, min, max }: Summary): string => `${rate.median.toFixed(1)}, ${median.toFixed(2)}x${min === max ? '' : ` (${min.toFixed(2)} to ${max.toFixed(2)})`}`;

const shareCell = (microseconds: number, total: number): string => `${microseconds.toFixed(0)}  ${((100 * microseconds) / total).toFixed(0).padStart(3)} %`;
