export type * from './descriptor.ts';
export type * from './digest/digest.ts';
export * from './errors.ts';
export type * from './events.ts';
export type * from './manifest/types.ts';
export * from './media-types.ts';
export type * from './platform.ts';
export type * from './source.ts';
export type * from './store/content-store.ts';
