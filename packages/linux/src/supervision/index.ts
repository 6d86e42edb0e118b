export type { Answer } from './answer.ts';
export * from './files.ts';
export * from './notification.ts';
export * from './sockets.ts';
