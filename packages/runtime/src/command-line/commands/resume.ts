import { resume } from '../../lifecycle/pause.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';

/** `oci-runtime resume` */
export const command: Command = {
  usage: 'resume ID',
  flags: {},
  words: [1, 1],
  run: async (context) => {
    resume(containerId(context), { root: context.root });
    return 0;
  },
};
