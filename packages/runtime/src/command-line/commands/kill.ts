import { kill } from '../../lifecycle/kill.ts';
import { parseSignal } from '../../process/signal.ts';
import type { Command } from '../command.ts';
import { matchingIds } from './matching.ts';

/** `oci-runtime kill` */
export const command: Command = {
  usage: 'kill [flags] ID [SIGNAL]',
  flags: {
    all: { takes: 'nothing', short: 'a', about: 'signal every process of the container' },
    regex: { takes: 'nothing', short: 'r', about: 'ID is a regular expression' },
  },
  words: [1, 2],
  run: async (context) => {
    const { parsed, root } = context;
    const signal = parseSignal(parsed.words[1] || 'TERM');
    for (const id of matchingIds(context)) kill(id, signal, { root, all: parsed.flags.has('all') });
    return 0;
  },
};
