export { type Schedulable, Scheduler, type SchedulerLimits, type StepItem } from './scheduler.ts';
