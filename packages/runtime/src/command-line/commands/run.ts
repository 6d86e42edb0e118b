import { run, runDetached } from '../../lifecycle/run.ts';
import type { Command } from '../command.ts';
import { containerId, createFlags, createOptions } from './create-flags.ts';
import { logMade } from './phases.ts';

/** `oci-runtime run` */
export const command: Command = {
  usage: 'run [flags] ID',
  flags: {
    ...createFlags,
    detach: { takes: 'nothing', short: 'd', about: "return when the container's process runs" },
    keep: { takes: 'nothing', about: 'do not delete the container when it ended' },
    'no-subreaper': { takes: 'nothing', about: 'accepted; the runtime never becomes a subreaper' },
  },
  words: [1, 1],
  run: async (context) => {
    const options = createOptions(context);
    const id = containerId(context);
    if (context.parsed.flags.has('detach')) {
      await runDetached(id, options);
      logMade(context.log);
      return 0;
    }
    const { exitCode } = await run(id, {
      ...options,
      keep: context.parsed.flags.has('keep'),
      onStarted: (pid) => {
        logMade(context.log);
        context.forwardSignals(pid);
      },
    });
    return exitCode;
  },
};
