import { create } from '../../lifecycle/create.ts';
import type { Command } from '../command.ts';
import { containerId, createFlags, createOptions } from './create-flags.ts';
import { logMade } from './phases.ts';

/** `oci-runtime create` */
export const command: Command = {
  usage: 'create [flags] ID',
  flags: createFlags,
  words: [1, 1],
  run: async (context) => {
    await create(containerId(context), createOptions(context));
    logMade(context.log);
    return 0;
  },
};
