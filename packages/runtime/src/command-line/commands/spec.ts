import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultSpec } from '@ocijs/bundle/spec';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';

/** `oci-runtime spec` */
export const command: Command = {
  usage: 'spec [flags]',
  flags: {
    bundle: { takes: 'text', short: 'b', about: 'the directory to write config.json to' },
    rootless: { takes: 'nothing', about: 'for the calling user, without privileges' },
  },
  words: [0, 0],
  run: async ({ parsed }) => {
    const file = join(textFlag(parsed, 'bundle') || '.', 'config.json');
    const spec = defaultSpec({ rootless: parsed.flags.has('rootless') });
    try {
      writeFileSync(file, `${JSON.stringify(spec, undefined, '\t')}\n`, { flag: 'wx', mode: 0o666 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw usageError(`File ${file} exists. Remove it first`);
    }
    return 0;
  },
};
