import { state } from '../../lifecycle/state.ts';
import type { Command } from '../command.ts';

/** `oci-runtime state` */
export const command: Command = {
  usage: 'state ID',
  flags: {},
  words: [1, 1],
  run: async ({ parsed, root, print }) => {
    print(`${JSON.stringify(state(parsed.words[0] as string, { root }), undefined, 2)}\n`);
    return 0;
  },
};
