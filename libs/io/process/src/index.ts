export * from './control-address.ts';
export * from './environment.ts';
export * from './model.ts';
export * from './parent.ts';
export * from './run-process.ts';
export * from './tls.ts';
