export { type AddedRows, type DeviceRows } from './device-rows.ts';
export { type DispatchOutcome, type DispatchResult } from './dispatch-result.ts';
export { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
export { type DeviceWork, type DispatchWork, type RoutedWork } from './expert-call.ts';
export * from './expert-peer.ts';
export { EXPERT_QUEUE_LIMITS, type ExpertQueueLimits } from './expert-queue.ts';
export * from './expert-runner.ts';
export * from './local-experts.ts';
export * from './routing.ts';
