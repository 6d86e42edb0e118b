import { requireRecord, stateRoot } from '../../lifecycle/context.ts';
import { prepareExec } from '../../lifecycle/exec.ts';
import { listFlag, numberFlag, textFlag } from '../arguments.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';
import { execProcess, processFlags } from './exec-process.ts';
import { logAffinity, phases } from './phases.ts';

/** `oci-runtime exec` */
export const command: Command = {
  usage: 'exec [flags] ID COMMAND [arguments]',
  flags: {
    ...processFlags,
    'console-socket': { takes: 'text', about: "a unix socket that receives the terminal's master" },
    'pidfd-socket': { takes: 'text', about: 'a unix socket that receives a pidfd of the process' },
    detach: { takes: 'nothing', short: 'd', about: 'return when the process runs' },
    'pid-file': { takes: 'text', about: 'the file that the process id is written to' },
    'preserve-fds': { takes: 'number', about: 'how many more descriptors the process gets' },
    cgroup: { takes: 'list', about: '[CONTROLLER:]PATH of a group below the container’s' },
    'ignore-paused': { takes: 'nothing', about: 'also in a paused container' },
  },
  words: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  failure: { prefix: 'exec failed: ', exitCode: 255 },
  run: async (context) => {
    const { parsed, root, signal, log } = context;
    const id = containerId(context);
    const detached = parsed.flags.has('detach');
    const record = requireRecord(stateRoot({ root }), id);
    const process = execProcess(parsed, record.spec.process);
    const affinity = process.execCPUAffinity ?? record.spec.process?.execCPUAffinity;
    log.debug(phases.setup);
    logAffinity(log, affinity?.initial);
    const init = await prepareExec(id, {
      process,
      root,
      signal,
      pidFile: textFlag(parsed, 'pid-file') || undefined,
      consoleSocket: textFlag(parsed, 'console-socket') || undefined,
      pidfdSocket: textFlag(parsed, 'pidfd-socket') || undefined,
      preserveFds: numberFlag(parsed, 'preserve-fds'),
      subgroups: listFlag(parsed, 'cgroup'),
      ignorePaused: parsed.flags.has('ignore-paused'),
      onEvent: (event) => {
        if (event.type === 'warning') log.warning(event.message);
      },
      lifetime: detached ? 'detached' : 'attached',
    });
    log.debug(phases.init);
    log.debug(phases.exec);
    if (detached) return 0;
    context.forwardSignals(init.pid);
    return (await init.exited).exitCode;
  },
};
