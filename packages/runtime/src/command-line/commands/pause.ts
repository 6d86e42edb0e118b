import { pause } from '../../lifecycle/pause.ts';
import type { Command } from '../command.ts';
import { containerId } from './create-flags.ts';

/** `oci-runtime pause` */
export const command: Command = {
  usage: 'pause ID',
  flags: {},
  words: [1, 1],
  run: async (context) => {
    await pause(containerId(context), { root: context.root, signal: context.signal });
    return 0;
  },
};
