import { restore, restoreDetached } from '../../lifecycle/restore.ts';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { containerId, createFlags, createOptions } from './create-flags.ts';
import { criuFlags, criuSettings } from './criu-flags.ts';

const {
  bundle,
  config,
  'console-socket': consoleSocket,
  'pid-file': pidFile,
  'no-pivot': noPivot,
} = createFlags;

/** `oci-runtime restore` */
export const command: Command = {
  usage: 'restore [flags] ID',
  flags: {
    ...criuFlags,
    ...(bundle && { bundle }),
    ...(config && { config }),
    ...(consoleSocket && { 'console-socket': consoleSocket }),
    ...(pidFile && { 'pid-file': pidFile }),
    ...(noPivot && { 'no-pivot': { ...noPivot, about: 'accepted; criu changes the root in its own way' } }),
    detach: { takes: 'nothing', short: 'd', about: "return when the container's processes run" },
    'no-subreaper': { takes: 'nothing', about: 'accepted; the runtime never becomes a subreaper' },
    'lsm-profile': { takes: 'text', about: 'TYPE:NAME of the profile to restore with' },
    'lsm-mount-context': { takes: 'text', about: 'not supported' },
  },
  words: [1, 1],
  run: async (context) => {
    const { parsed } = context;
    if (textFlag(parsed, 'lsm-mount-context')) throw usageError('--lsm-mount-context is not supported');
    const options = {
      ...createOptions(context),
      ...criuSettings(parsed),
      lsmProfile: textFlag(parsed, 'lsm-profile') || undefined,
    };
    if (parsed.flags.has('detach')) {
      await restoreDetached(containerId(context), options);
      return 0;
    }
    const onStarted = context.forwardSignals;
    return (await restore(containerId(context), { ...options, onStarted })).exitCode;
  },
};
