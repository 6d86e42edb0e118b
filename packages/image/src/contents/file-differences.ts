import type { TarEntry } from '../tar/entry.ts';
import { entryLinkname } from './names.ts';

/** What is different about a file that both have. */
export type FileDifference =
  | 'type'
  | 'content'
  | 'mode'
  | 'owner'
  | 'time'
  | 'link'
  | 'device'
  | 'attributes';

/** Options of {@link fileDifferences}. */
export interface FileDifferencesOptions {
  /** Whether the content is known to be equal; asked of files of one size alone. */
  readonly sameContent: boolean;
  /** Whether times count. */
  readonly times: boolean;
}

/** What is different about a file, in a fixed order; only `type` when it became something else. */
export function fileDifferences(
  a: TarEntry,
  b: TarEntry,
  { sameContent, times }: FileDifferencesOptions,
): readonly FileDifference[] {
  if (a.type !== b.type) return ['type'];
  const found: readonly (readonly [FileDifference, boolean])[] = [
    ['content', a.size !== b.size || !sameContent],
    ['link', a.type === 'symlink' && entryLinkname(a) !== entryLinkname(b)],
    ['device', a.deviceMajor !== b.deviceMajor || a.deviceMinor !== b.deviceMinor],
    ['mode', a.type !== 'symlink' && a.mode !== b.mode],
    ['owner', a.uid !== b.uid || a.gid !== b.gid],
    ['attributes', !isSameAttributes(a, b)],
    ['time', times && a.mtimeNs !== b.mtimeNs],
  ];
  return found.flatMap(([name, isDifferent]) => (isDifferent ? [name] : []));
}

/** Whether two entries have the same extended attributes. */
export function isSameAttributes({ xattrs: a }: TarEntry, { xattrs: b }: TarEntry): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) if (b.get(name)?.equals(value) !== true) return false;
  return true;
}
