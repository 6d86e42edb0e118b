import { features } from '../../lifecycle/features.ts';
import type { Command } from '../command.ts';
import { packageVersion } from '../version.ts';

/** `oci-runtime features` */
export const command: Command = {
  usage: 'features',
  flags: {},
  words: [0, 0],
  run: async ({ print }) => {
    print(`${JSON.stringify(features(packageVersion()), undefined, 4)}\n`);
    return 0;
  },
};
