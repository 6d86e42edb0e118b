import { remove } from '../../lifecycle/remove.ts';
import type { Command } from '../command.ts';

/** `oci-runtime delete` */
export const command: Command = {
  usage: 'delete [flags] ID',
  flags: { force: { takes: 'nothing', short: 'f', about: 'kill the container if it runs' } },
  words: [1, 1],
  run: async ({ parsed, root, signal, log }) => {
    await remove(parsed.words[0] as string, {
      root,
      signal,
      force: parsed.flags.has('force'),
      onEvent: (event) => {
        if (event.type === 'warning') log.warning(event.message);
      },
    });
    return 0;
  },
};
