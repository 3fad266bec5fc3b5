export { type Schedulable, Scheduler, type SchedulerLimits, type StepItem } from './scheduler.ts';
export { type StepPaceOptions } from './step-pace.ts';
