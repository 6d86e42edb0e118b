import { notifySocket } from '../../env.ts';
import { start } from '../../lifecycle/start.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';

/** `oci-runtime start` */
export const command: Command = {
  usage: 'start ID',
  flags: {},
  words: [1, 1],
  run: async (context) => {
    const { root, signal, log } = context;
    await start(containerId(context), {
      root,
      signal,
      notifySocket: notifySocket(),
      onEvent: (event) => {
        if (event.type === 'warning') log.warning(event.message);
      },
    });
    return 0;
  },
};
