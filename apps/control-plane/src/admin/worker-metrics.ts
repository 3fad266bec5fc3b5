import { Counter, type Registry } from 'prom-client';
import { type WorkerTimes } from '@essaim/core';
import { type ClusterView } from '../cluster-service.ts';

/** How the time of each live worker went, as it told last. One that starts again counts from zero, as counters may. */
export function countWorkers(cluster: ClusterView, registry: Registry): void {
  countPhases('essaim_worker_lead_seconds_total', 'Seconds by what a worker did as a lead; they add up to the time that passed', ({ lead }) => lead);
  countPhases('essaim_worker_expert_seconds_total', 'Seconds that calls to the experts of a worker took', ({ expert }) => expert);
  new Counter({ name: 'essaim_worker_steps_total', help: 'Steps that a worker led', labelNames: ['worker'], registers: [registry], collect() {
    this.reset();
    for (const { worker, times } of told(cluster)) this.inc({ worker }, times.steps);
  } });

  function countPhases(name: string, help: string, phases: (times: WorkerTimes) => Readonly<Record<string, number>>): void {
    new Counter({ name, help, labelNames: ['worker', 'phase'], registers: [registry], collect() {
      this.reset();
      for (const { worker, times } of told(cluster)) {
        for (const [phase, microseconds] of Object.entries(phases(times))) this.inc({ worker, phase }, microseconds / 1e6);
      }
    } });
  }
}

const told = ({ members }: ClusterView): { readonly worker: string; readonly times: WorkerTimes }[] =>
  members.flatMap(({ registration, report }) => (report === null ? [] : [{ worker: registration.id, times: report.times }]));
