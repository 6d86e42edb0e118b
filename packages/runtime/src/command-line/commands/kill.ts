import { kill } from '../../lifecycle/kill.ts';
import type { Command } from '../command.ts';

/** `oci-runtime kill` */
export const command: Command = {
  usage: 'kill [flags] ID [SIGNAL]',
  flags: { all: { takes: 'nothing', short: 'a', about: 'signal every process of the container' } },
  words: [1, 2],
  run: async ({ parsed, root }) => {
    const [id = '', signal = 'TERM'] = parsed.words;
    kill(id, signal, { root, all: parsed.flags.has('all') });
    return 0;
  },
};
