import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultSpec, type RuntimeSpec } from '@ocijs/bundle/spec';
import { findHierarchies, isUnified } from '../../cgroup/hierarchies.ts';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';

/** As runc: beside cgroup v1, a container sees its place in the host's groups. */
function withoutHostGroups(spec: RuntimeSpec): RuntimeSpec {
  if (isUnified(findHierarchies())) return spec;
  const namespaces = spec.linux?.namespaces?.filter(({ type }) => type !== 'cgroup') ?? [];
  return { ...spec, linux: { ...spec.linux, namespaces } };
}

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
    const spec = withoutHostGroups(defaultSpec({ rootless: parsed.flags.has('rootless') }));
    try {
      writeFileSync(file, `${JSON.stringify(spec, undefined, '\t')}\n`, { flag: 'wx', mode: 0o666 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw usageError(`File ${file} exists. Remove it first`);
    }
    return 0;
  },
};
