import type { BuildNodeOptions } from '@ocijs/build';
import { parseWords } from '../edit/flags.ts';
import { usageError } from '../errors.ts';

export interface NodeFlags {
  readonly base?: string | undefined;
  readonly entrypoint?: string | undefined;
  readonly cmd?: string | undefined;
}

/** What `--node` and the flags for it say. Throws ERR_OCI_USAGE. */
export function nodeOptions(
  directory: string,
  { base, entrypoint, cmd }: NodeFlags,
): Pick<BuildNodeOptions, 'directory' | 'base' | 'entrypoint' | 'command'> {
  return {
    directory,
    base,
    entrypoint: entrypoint === undefined ? undefined : parseWords('--entrypoint', entrypoint),
    command: cmd === undefined ? undefined : parseWords('--cmd', cmd),
  };
}

/** Throws ERR_OCI_USAGE for flags that mean something with `--node` alone. */
export function refuseNodeFlags(flags: NodeFlags): void {
  for (const name of ['base', 'entrypoint', 'cmd'] as const)
    if (flags[name] !== undefined)
      throw usageError(`--${name} is for --node`, 'in a Dockerfile, FROM, ENTRYPOINT and CMD say it');
}
