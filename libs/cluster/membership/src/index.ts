export * from './cluster-plan.ts';
export * from './cluster-state.ts';
export * from './cluster-store.ts';
export * from './expert-target.ts';
export * from './member.ts';
export * from './membership.ts';
export * from './roll-out.ts';
