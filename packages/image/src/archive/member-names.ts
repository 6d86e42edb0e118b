import { posix } from 'node:path';

/**
 * The name of a member as a key: without empty and `.` parts. Undefined for a name that leads out of the archive or
 * nowhere: nothing can refer to such a member. A name is never more than a key; no path is made of it.
 */
export function memberKey(name: string): string | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? undefined : parts.join('/');
}

/** What a symbolic link in the archive stands for; undefined when that is outside of it. */
export function symlinkKey(from: string, target: string): string | undefined {
  if (target.startsWith('/')) return undefined;
  return memberKey(posix.join(posix.dirname(from), target));
}
