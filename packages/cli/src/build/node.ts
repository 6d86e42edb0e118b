import type { BuildNodeOptions } from '@ocijs/build';
import { parseWords } from '../edit/flags.ts';

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
