import { remove } from '../../lifecycle/remove.ts';
import type { Command } from '../command.ts';
import { matchingIds } from './matching.ts';

/** `oci-runtime delete` */
export const command: Command = {
  usage: 'delete [flags] ID',
  flags: {
    force: { takes: 'nothing', short: 'f', about: 'kill the container if it runs' },
    regex: { takes: 'nothing', short: 'r', about: 'ID is a regular expression' },
  },
  words: [1, 1],
  run: async (context) => {
    const { parsed, root, signal, log } = context;
    for (const id of matchingIds(context)) {
      await remove(id, {
        root,
        signal,
        force: parsed.flags.has('force'),
        onEvent: (event) => {
          if (event.type === 'warning') log.warning(event.message);
        },
      });
    }
    return 0;
  },
};
