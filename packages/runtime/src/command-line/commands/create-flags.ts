import { listenFds, notifySocket } from '../../env.ts';
import type { CreateOptions } from '../../lifecycle/create.ts';
import { type Flags, numberFlag, textFlag } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { logFilter, phases } from './phases.ts';

/** The flags that `create` and `run` share. */
export const createFlags: Flags = {
  bundle: { takes: 'text', short: 'b', about: 'the directory of the bundle; the current one by default' },
  'console-socket': { takes: 'text', about: "a unix socket that receives the terminal's master" },
  'pidfd-socket': { takes: 'text', about: 'a unix socket that receives a pidfd of the process' },
  config: { takes: 'text', short: 'f', about: "a file to use instead of the bundle's config.json" },
  'pid-file': { takes: 'text', about: 'the file that the process id is written to' },
  'no-pivot': { takes: 'nothing', about: 'do not use pivot_root, for a root on a ramdisk' },
  'no-new-keyring': { takes: 'nothing', about: "stay in the caller's session keyring" },
  'preserve-fds': { takes: 'number', about: 'how many more descriptors the process gets' },
};

/** The options of `create` from its flags. */
export function createOptions(context: CommandContext): CreateOptions {
  const { parsed, log, root, signal } = context;
  const listening = listenFds();
  log.debug(phases.setup);
  return {
    bundle: textFlag(parsed, 'bundle') || '.',
    root,
    signal,
    cgroupManager: context.cgroupManager,
    pidFile: textFlag(parsed, 'pid-file') || undefined,
    consoleSocket: textFlag(parsed, 'console-socket') || undefined,
    pidfdSocket: textFlag(parsed, 'pidfd-socket') || undefined,
    config: textFlag(parsed, 'config') || undefined,
    // Sockets that systemd listens on come first, and are the process's as well (sd_listen_fds(3)).
    preserveFds: listening + (numberFlag(parsed, 'preserve-fds') ?? 0),
    env: listening === 0 ? [] : [`LISTEN_FDS=${listening}`, 'LISTEN_PID=1'],
    notifySocket: notifySocket(),
    noPivot: parsed.flags.has('no-pivot'),
    noNewKeyring: parsed.flags.has('no-new-keyring'),
    onEvent: (event) => {
      if (event.type === 'warning') log.warning(event.message);
      if (event.type === 'seccomp-filter') logFilter(log, event.flags);
    },
  };
}

/** The container id, which is the first word. */
export function containerId(context: CommandContext): string {
  return context.parsed.words[0] as string;
}
