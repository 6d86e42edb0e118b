import type { ExecutionConfig } from '@ocijs/image';
import { environmentOf } from '../../config/apply-instruction.ts';
import { join } from '../project/paths.ts';
import type { StartCommand } from './start-command.ts';

/** Where the root of the repository is in the image. */
export const prefix = 'app';
/** Who runs the project when the base would have root do it: the user `node` of the official images. */
const ordinaryUser = '1000:1000';

export interface NodeSettings {
  readonly directory: string;
  readonly start: StartCommand | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
}

/** What containers of a project start with, on what the base says. */
export function nodeSettings(
  config: ExecutionConfig,
  { directory, start, entrypoint, command }: NodeSettings,
): ExecutionConfig {
  const { Cmd: _ofTheBase, ...rest } = config;
  const [program = ''] = config.Entrypoint ?? [];
  // Images without a shell have Node elsewhere, and say where.
  const node = /^(?:.*\/)?node$/.test(program) ? program : 'node';
  const isRoot = /^(?:root|0+)?(?::.*)?$/.test(config.User ?? '');
  const environment = new Map([
    ...environmentOf(config),
    ['NODE_ENV', 'production'],
    ...Object.entries(start?.environment ?? {}),
  ]);
  return {
    ...rest,
    Env: [...environment].map(([name, value]) => `${name}=${value}`),
    WorkingDir: `/${join(prefix, directory).replace(/\/\.$/, '')}`,
    User: isRoot ? ordinaryUser : (config.User ?? ordinaryUser),
    Entrypoint: entrypoint ?? [node, ...(start?.words ?? [])],
    ...(command === undefined ? {} : { Cmd: command }),
    StopSignal: 'SIGTERM',
  };
}
