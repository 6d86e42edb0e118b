export * from './dockerfile/index.ts';
export * from './errors.ts';
export * from './limits.ts';
