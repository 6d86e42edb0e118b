import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { IdMapping, RootlessOptions } from '@ocijs/bundle';
import { unsuitable } from './spawn.ts';

const execute = promisify(execFile);

/** Gives a process in a new user namespace its ids. More than one takes the setuid helpers. */
export async function writeMaps(
  pid: number,
  { uidMappings, gidMappings }: Pick<RootlessOptions, 'uidMappings' | 'gidMappings'>,
): Promise<void> {
  try {
    if (uidMappings.length + gidMappings.length > 2) {
      await execute('newuidmap', [String(pid), ...numbers(uidMappings)]);
      await execute('newgidmap', [String(pid), ...numbers(gidMappings)]);
      return;
    }
    await writeFile(`/proc/${pid}/uid_map`, numbers(uidMappings).join(' '));
    // Whoever could leave a group could see what the group is kept from (user_namespaces(7)).
    await writeFile(`/proc/${pid}/setgroups`, 'deny');
    await writeFile(`/proc/${pid}/gid_map`, numbers(gidMappings).join(' '));
  } catch (cause) {
    const said = (cause as { readonly stderr?: string }).stderr?.trim();
    throw unsuitable(`no ids in a user namespace${said ? ` (${said})` : ''}`, cause);
  }
}

function numbers(mappings: readonly IdMapping[]): readonly string[] {
  return mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
}
