import { checkpoint } from '../../lifecycle/checkpoint.ts';
import { numberFlag, type ParsedArguments, textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';
import { criuFlags, criuSettings } from './criu-flags.ts';

function pageServer(
  parsed: ParsedArguments,
): { readonly address: string; readonly port: number } | undefined {
  const text = textFlag(parsed, 'page-server');
  if (!text) return undefined;
  const end = text.lastIndexOf(':');
  const port = Number(text.slice(end + 1));
  if (end > 0 && Number.isInteger(port) && port > 0 && port < 65_536)
    return { address: text.slice(0, end), port };
  throw usageError('Use --page-server ADDRESS:PORT to specify page server');
}

/** `oci-runtime checkpoint` */
export const command: Command = {
  usage: 'checkpoint [flags] ID',
  flags: {
    ...criuFlags,
    'parent-path': { takes: 'text', about: 'earlier images, from the image path on' },
    'leave-running': { takes: 'nothing', about: 'let the container run on' },
    'tcp-skip-in-flight': { takes: 'nothing', about: 'forget connections that are being made' },
    'link-remap': { takes: 'nothing', about: 'allow open files that were removed' },
    'status-fd': { takes: 'number', about: 'a descriptor that gets a byte when lazy pages are ready' },
    'page-server': { takes: 'text', about: 'ADDRESS:PORT of a page server that takes the memory' },
    'pre-dump': { takes: 'nothing', about: 'write memory alone, and let the container run on' },
  },
  words: [1, 1],
  run: async (context) => {
    const { parsed, root, signal, log } = context;
    await checkpoint(containerId(context), {
      ...criuSettings(parsed),
      ...{ root, signal },
      parentPath: textFlag(parsed, 'parent-path') || undefined,
      leaveRunning: parsed.flags.has('leave-running'),
      preDump: parsed.flags.has('pre-dump'),
      tcpSkipInFlight: parsed.flags.has('tcp-skip-in-flight'),
      linkRemap: parsed.flags.has('link-remap'),
      statusFd: numberFlag(parsed, 'status-fd'),
      pageServer: pageServer(parsed),
      onEvent: (event) => {
        if (event.type === 'warning') log.warning(event.message);
      },
    });
    return 0;
  },
};
