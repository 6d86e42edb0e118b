export { abortable } from './abortable.ts';
export * from './digest.ts';
export * from './hasher.ts';
export * from './verify.ts';
