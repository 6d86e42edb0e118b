import { posix } from 'node:path';
import type { LayeredTree } from '@ocijs/bundle';
import { BuildError } from '../errors.ts';

/** Linux's own limit for one path. */
const MAX_LINKS = 40;

/** Where the entries of an archive go. */
export interface ArchivePaths {
  /** The path of an entry in the image; a link on the way is followed as if the destination was the root. */
  place(name: string): string;
  /** Tells that something is at a path: from now on what the image has there does not count. */
  put(path: string, link: string | undefined): void;
}

/**
 * Archives are unpacked as with the destination for a root, as Docker does: neither `..` nor a link, be it of the archive or of the image,
 * leads out of it.
 */
export function archivePaths(directory: string, tree: LayeredTree | undefined): ArchivePaths {
  const written = new Map<string, string | undefined>();

  function linkAt(path: string): string | undefined {
    if (written.has(path)) return written.get(path);
    const file = tree?.resolve(inImage(path), { followLast: false }).file;
    return file === undefined || (file.status.mode & 0o170000) !== 0o120000
      ? undefined
      : tree?.readLink(file);
  }

  function inImage(path: string): string {
    return [directory === '.' ? '' : directory, path].filter((part) => part !== '').join('/') || '.';
  }

  function resolve(name: string): string {
    const names = clean(name).split('/');
    const last = names.pop() ?? '';
    const pending = names.reverse();
    let at = '';
    let links = 0;
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next === '' || next === '.') continue;
      if (next === '..') {
        at = at.split('/').slice(0, -1).join('/');
        continue;
      }
      const path = at === '' ? next : `${at}/${next}`;
      const link = linkAt(path);
      if (link === undefined) {
        at = path;
        continue;
      }
      links += 1;
      if (links > MAX_LINKS)
        throw new BuildError('ERR_OCI_BUILD_ARCHIVE_INVALID', `${name} leads through too many links`, {
          entry: name,
        });
      if (link.startsWith('/')) at = '';
      pending.push(...link.split('/').reverse());
    }
    return at === '' ? last : `${at}/${last}`;
  }

  return {
    place: (name) => inImage(resolve(name)),
    put: (path, link) => {
      const inside = directory === '.' ? path : path.slice(directory.length + 1);
      written.set(inside, link);
    },
  };
}

function clean(name: string): string {
  return posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, '');
}
