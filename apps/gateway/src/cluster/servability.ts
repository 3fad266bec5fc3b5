import { type ClusterSnapshot, isServable } from '@essaim/core';

export type Servability = { readonly kind: 'servable'; readonly snapshot: ClusterSnapshot } | { readonly kind: 'refused'; readonly reason: string };

const refused = (reason: string): Servability => ({ kind: 'refused', reason });

/** Whether the cluster can serve; a refusal says in one sentence what misses. */
export function servabilityOf(snapshot: ClusterSnapshot | null): Servability {
  if (snapshot === null) return refused('the control plane has not answered yet: retry in a few seconds');
  if (isServable(snapshot)) return { kind: 'servable', snapshot };
  const experts = snapshot.placement.flat();
  const missing = experts.filter((replicas) => !replicas.some(({ state }) => state === 'ready')).length;
  if (missing > 0) return refused(`${missing} of ${experts.length} experts have no ready replica: retry when workers have loaded them`);
  return refused('no worker is ready to lead: retry when one has loaded the model');
}
