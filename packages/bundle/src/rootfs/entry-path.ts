import type { TarEntry } from '@ocijs/image';
import { nameFromBytes } from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { pathDepthLimit, pathLengthLimit } from '../limits.ts';

/**
 * The components of a name or link name, cleaned as if the root file system were the root directory: leading slashes,
 * `.` and `..` disappear by the text alone, and `..` never gets above the root, so that `../../etc/x` is `etc/x`.
 * Empty for the root itself. Throws ERR_OCI_LAYER_INVALID for names with NUL, and for too long or deep ones.
 */
export function cleanPath(name: string): readonly string[] {
  if (name.length > pathLengthLimit) throw invalidName(name.slice(0, 100), 'is too long', pathLengthLimit);
  if (name.includes('\0')) throw invalidName(name, 'holds a NUL byte');
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  if (components.length > pathDepthLimit)
    throw invalidName(name.slice(0, 100), 'is too deep', pathDepthLimit);
  return components;
}

/** The name of an entry; bytes that are not UTF-8 become lone surrogates, as in `@ocijs/linux`. */
export function entryName({ name, nameBytes }: Pick<TarEntry, 'name' | 'nameBytes'>): string {
  return nameBytes === undefined ? name : nameFromBytes(nameBytes);
}

/** The link name of an entry, in the same form. */
export function entryLinkname({
  linkname,
  linknameBytes,
}: Pick<TarEntry, 'linkname' | 'linknameBytes'>): string {
  return linknameBytes === undefined ? linkname : nameFromBytes(linknameBytes);
}

function invalidName(name: string, what: string, limit?: number): BundleError {
  return new BundleError('ERR_OCI_LAYER_INVALID', `entry name ${JSON.stringify(name)} ${what}`, {
    entry: name,
    ...(limit === undefined ? {} : { limit }),
  });
}
