import type { CommandClass } from '../base-command.ts';

/** Loads a command; the others stay unread, so that one command costs no more than itself. */
export type CommandLoader = () => Promise<CommandClass>;

/** Every command of `oci`, by name. */
export const COMMANDS: Readonly<Record<string, CommandLoader>> = {
  annotate: async () => (await import('./annotate.ts')).default,
  append: async () => (await import('./append.ts')).default,
  artifact: async () => (await import('./artifact.ts')).default,
  attach: async () => (await import('./attach.ts')).default,
  build: async () => (await import('./build.ts')).default,
  cat: async () => (await import('./cat.ts')).default,
  catalog: async () => (await import('./catalog.ts')).default,
  completion: async () => (await import('./completion.ts')).default,
  config: async () => (await import('./config.ts')).default,
  copy: async () => (await import('./copy.ts')).default,
  delete: async () => (await import('./delete.ts')).default,
  diff: async () => (await import('./diff.ts')).default,
  doctor: async () => (await import('./doctor.ts')).default,
  exec: async () => (await import('./exec.ts')).default,
  explore: async () => (await import('./explore.ts')).default,
  export: async () => (await import('./export.ts')).default,
  flatten: async () => (await import('./flatten.ts')).default,
  fsck: async () => (await import('./fsck.ts')).default,
  gc: async () => (await import('./gc.ts')).default,
  'generate-key-pair': async () => (await import('./generate-key-pair.ts')).default,
  history: async () => (await import('./history.ts')).default,
  images: async () => (await import('./images.ts')).default,
  index: async () => (await import('./image-index.ts')).default,
  inspect: async () => (await import('./inspect.ts')).default,
  kill: async () => (await import('./kill.ts')).default,
  load: async () => (await import('./load.ts')).default,
  login: async () => (await import('./login.ts')).default,
  logout: async () => (await import('./logout.ts')).default,
  logs: async () => (await import('./logs.ts')).default,
  ls: async () => (await import('./ls.ts')).default,
  manifest: async () => (await import('./manifest.ts')).default,
  pause: async () => (await import('./pause.ts')).default,
  ps: async () => (await import('./ps.ts')).default,
  pull: async () => (await import('./pull.ts')).default,
  push: async () => (await import('./push.ts')).default,
  rebase: async () => (await import('./rebase.ts')).default,
  referrers: async () => (await import('./referrers.ts')).default,
  repack: async () => (await import('./repack.ts')).default,
  rm: async () => (await import('./rm.ts')).default,
  rmi: async () => (await import('./rmi.ts')).default,
  run: async () => (await import('./run.ts')).default,
  save: async () => (await import('./save.ts')).default,
  serve: async () => (await import('./serve.ts')).default,
  sign: async () => (await import('./sign.ts')).default,
  snapshots: async () => (await import('./snapshots.ts')).default,
  spec: async () => (await import('./spec.ts')).default,
  squash: async () => (await import('./squash.ts')).default,
  stats: async () => (await import('./stats.ts')).default,
  stop: async () => (await import('./stop.ts')).default,
  supervise: async () => (await import('./supervise.ts')).default,
  tag: async () => (await import('./tag.ts')).default,
  tags: async () => (await import('./tags.ts')).default,
  unpack: async () => (await import('./unpack.ts')).default,
  unpause: async () => (await import('./unpause.ts')).default,
  validate: async () => (await import('./validate.ts')).default,
  verify: async () => (await import('./verify.ts')).default,
  wait: async () => (await import('./wait.ts')).default,
};

/** All commands, for what speaks of every one of them: help, completions, man pages and the reference. */
export async function loadCommands(): Promise<Readonly<Record<string, CommandClass>>> {
  const loaded = Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const);
  return Object.fromEntries(await Promise.all(loaded));
}
