import type { Command } from '../command.ts';

type Load = () => Promise<{ readonly command: Command }>;

/** The commands by name. Each is loaded when it is run: most runs need one, and start in the time that it takes. */
export const commands: Readonly<Record<string, Load>> = {
  checkpoint: () => import('./checkpoint.ts'),
  create: () => import('./create.ts'),
  delete: () => import('./delete.ts'),
  events: () => import('./events.ts'),
  exec: () => import('./exec.ts'),
  features: () => import('./features.ts'),
  kill: () => import('./kill.ts'),
  list: () => import('./list.ts'),
  mounts: () => import('./mounts.ts'),
  pause: () => import('./pause.ts'),
  ps: () => import('./ps.ts'),
  restore: () => import('./restore.ts'),
  resume: () => import('./resume.ts'),
  run: () => import('./run.ts'),
  spec: () => import('./spec.ts'),
  start: () => import('./start.ts'),
  state: () => import('./state.ts'),
  update: () => import('./update.ts'),
};
