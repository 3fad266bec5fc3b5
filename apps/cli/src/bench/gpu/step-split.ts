import { type DeviceUse, LEAD_PHASES, type WorkerTimes } from '@essaim/core';
import { type DeviceRates } from '@essaim/devices';

/** What the steps of a load took of a worker that leads alone. All of it can be subtracted. */
export type StepUse = DeviceUse & Readonly<Record<'steps' | 'busy', number>>;

/** Where the time of a step went, in milliseconds: device, host and transfer add up to the step. */
export interface StepSplit {
  /** That were averaged over. */
  readonly steps: number;
  readonly stepMs: number;
  /** The worker waited for the card. What it computed while the worker went on is the host's. */
  readonly deviceMs: number;
  /** The worker did something itself: chose, sampled, handed graphs over, or ran other code. */
  readonly hostMs: number;
  /** What its bytes take at the rates of the card, and each answer that was waited for beyond what the card computed. */
  readonly transferMs: number;
  /** Graphs that were run in a step. */
  readonly runs: number;
  /** Those that were waited for. */
  readonly answers: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

const MS_PER_S = 1_000;
const US_PER_MS = 1_000;

/** What a worker told more the second time, in microseconds, counts and bytes. */
export const useBetween = (before: WorkerTimes, after: WorkerTimes): StepUse => minus(useOf(after), useOf(before));

/** What the decoded tokens of a load took, from it and from another with the same prompts and nothing decoded. */
export function minus(use: StepUse, other: StepUse): StepUse {
  return Object.fromEntries(Object.entries<number>(use).map(([name, value]) => [name, value - other[name as keyof StepUse]])) as Record<keyof StepUse, number>;
}

/** Null where no step was made, or none more than for the prompts. */
export function splitOf({ steps, busy, runs, answers, waited, uploadedBytes, downloadedBytes }: StepUse, rates: DeviceRates): StepSplit | null {
  if (steps <= 0) return null;
  const perStep = (value: number): number => value / steps;
  const [stepMs, waitedMs] = [busy, waited].map((microseconds) => perStep(microseconds) / US_PER_MS) as [number, number];
  // Bytes go up where graphs are handed over, and come down, after the way there and back, where their answers are waited for.
  const downMs = Math.min(waitedMs, MS_PER_S * perStep(answers * rates.answerSeconds + downloadedBytes / rates.downloadBytesPerSecond));
  const upMs = Math.min(stepMs - waitedMs, (MS_PER_S * perStep(uploadedBytes)) / rates.uploadBytesPerSecond);
  return {
    steps, stepMs, deviceMs: waitedMs - downMs, hostMs: stepMs - waitedMs - upMs, transferMs: upMs + downMs,
    runs: perStep(runs), answers: perStep(answers), uploadedBytes: perStep(uploadedBytes), downloadedBytes: perStep(downloadedBytes),
  };
}

const useOf = ({ lead, device, steps }: WorkerTimes): StepUse => ({ steps, busy: LEAD_PHASES.reduce((sum, phase) => (phase === 'idle' ? sum : sum + lead[phase]), 0), ...device });
