import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { type ClusterView } from '../cluster-service.ts';
import { countWorkers } from './worker-metrics.ts';

/** What Prometheus reads; every value is taken from the cluster at the moment it is asked. */
export function createMetrics(cluster: ClusterView): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => ReadonlyMap<string, number>): Gauge<'state'> =>
    new Gauge({ name, help, labelNames: ['state'], registers: [registry], collect() {
      for (const [state, count] of read()) this.set({ state }, count);
    } });
  gauge('essaim_workers', 'Workers by state', () => countStates([...cluster.members, ...cluster.lost], ['joining', 'loading', 'ready', 'draining', 'lost']));
  gauge('essaim_replicas', 'Replicas of experts in the published placement by state', () => countStates(cluster.published?.placement.flat(2) ?? [], ['loading', 'ready']));
  new Gauge({ name: 'essaim_epoch', help: 'Epoch of the published placement', registers: [registry], collect() {
    this.set(cluster.published?.epoch ?? 0);
  } });
  countWorkers(cluster, registry);
  return registry;
}

/** Every state has a value, so that a graph never shows an old one. */
function countStates(items: readonly { readonly state: string }[], states: readonly string[]): Map<string, number> {
  return new Map(states.map((state) => [state, items.filter((item) => item.state === state).length]));
}
