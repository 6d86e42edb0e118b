import { readFileSync } from 'node:fs';
import { type Mount, parseSpec } from '@ocijs/bundle/spec';
import { addMounts, removeMounts } from '../../lifecycle/mounts.ts';
import { usageError } from '../arguments.ts';
import type { Command } from '../command.ts';

/** Reads a list of mounts; checked as a part of a configuration. */
function readMounts(path: string): readonly Mount[] {
  const text = Buffer.concat([
    Buffer.from('{"ociVersion":"1.0.2","mounts":'),
    readFileSync(path === '-' ? 0 : path),
    Buffer.from('}'),
  ]);
  return parseSpec(text).mounts ?? [];
}

/** `oci-runtime mounts` */
export const command: Command = {
  usage: 'mounts add|remove ID FILE',
  flags: {},
  words: [3, 3],
  run: async ({ parsed, root, signal }) => {
    const [action, id = '', file = ''] = parsed.words;
    if (action !== 'add' && action !== 'remove') throw usageError(`unknown action ${JSON.stringify(action)}`);
    await (action === 'add' ? addMounts : removeMounts)(id, readMounts(file), { root, signal });
    return 0;
  },
};
