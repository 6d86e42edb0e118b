import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { IdMapping, RootlessOptions } from '@ocijs/bundle';
import { callingUser } from '../user.ts';

/** How an ordinary user's containers map ids, and whether that takes the setuid helpers. */
export interface RootlessPlan {
  readonly options: RootlessOptions;
  /** False when only the caller's own ids are mapped: all owners collapse into one. */
  readonly hasRanges: boolean;
}

/** A range of ids that the administrator gave to a user. */
export interface IdRange {
  readonly start: number;
  readonly size: number;
}

/**
 * The mappings for containers of the calling user: the caller is root inside, and the ranges of `/etc/subuid` and
 * `/etc/subgid` follow when newuidmap and newgidmap are there to set them up.
 */
export async function planRootless(path: string, network: 'private' | 'host'): Promise<RootlessPlan> {
  const { uid, gid, username } = callingUser();
  const hasHelpers =
    (await findProgram('newuidmap', path)) !== undefined &&
    (await findProgram('newgidmap', path)) !== undefined;
  const [uids, gids] = hasHelpers
    ? await Promise.all([
        rangesOf('/etc/subuid', { uid, username }),
        rangesOf('/etc/subgid', { uid, username }),
      ])
    : [[], []];
  const hasRanges = uids.length > 0 && gids.length > 0;
  return {
    hasRanges,
    options: {
      uidMappings: mappings(uid, hasRanges ? uids : []),
      gidMappings: mappings(gid, hasRanges ? gids : []),
      network,
    },
  };
}

/** The caller's own id as 0, then the ranges one after the other. */
export function mappings(own: number, ranges: readonly IdRange[]): readonly IdMapping[] {
  const result: IdMapping[] = [{ containerID: 0, hostID: own, size: 1 }];
  let next = 1;
  for (const { start, size } of ranges) {
    result.push({ containerID: next, hostID: start, size });
    next += size;
  }
  return result;
}

/** Reads the lines `user:start:size` of one user, named or by number. */
export function parseRanges(
  text: string,
  { uid, username }: { readonly uid: number; readonly username: string },
): readonly IdRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner, start, size] = line.trim().split(':');
    if (owner === '' || (owner !== username && owner !== String(uid))) return [];
    const range = { start: Number(start), size: Number(size) };
    return Number.isSafeInteger(range.start) && Number.isSafeInteger(range.size) && range.size > 0
      ? [range]
      : [];
  });
}

/** The ranges of a user in a file that may be missing. */
export async function rangesOf(
  path: string,
  user: { readonly uid: number; readonly username: string },
): Promise<readonly IdRange[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return parseRanges(text, user);
}

/** The full path of a program in a `PATH`; undefined when there is none. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, name);
    const isThere = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}
