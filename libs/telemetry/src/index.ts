export * from './logger.ts';
export * from './system-clock.ts';
