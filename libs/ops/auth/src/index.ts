export * from './authority.ts';
export * from './identity.ts';
