import type { PrepareMount } from './mount-context.ts';

/** `type=tmpfs`: an empty file system in memory. */
export const tmpfsMount: PrepareMount = async ({ size }, { target }) => {
  const options = ['nosuid', 'nodev', 'mode=1777', ...(size === undefined ? [] : [`size=${size}`])];
  return { mounts: [{ destination: target, type: 'tmpfs', source: 'tmpfs', options }], environment: [] };
};
