import type { Descriptor } from '../descriptor.ts';
import { isOciError } from '../errors.ts';
import { formatReference, parseReference } from '../reference/reference.ts';
import { REF_NAME } from '../store/layout-index.ts';

/** The annotation in which containerd, Docker and BuildKit write a full name, since they put a tag alone into {@link REF_NAME}. */
export const CONTAINERD_NAME = 'io.containerd.image.name';

/** The names of an entry, the fullest first. */
export function namesOf({ annotations }: Descriptor): readonly string[] {
  const names = [annotations?.[CONTAINERD_NAME], annotations?.[REF_NAME]];
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[];
}

/** True when an entry is called so, written out in full or not: `busybox` is `docker.io/library/busybox:latest`. */
export function isNamed(descriptor: Descriptor, name: string): boolean {
  const names = namesOf(descriptor);
  if (names.includes(name)) return true;
  const wanted = fullName(name);
  return wanted !== undefined && names.some((known) => fullName(known) === wanted);
}

/** The canonical form of a name; undefined for one that is no reference. */
export function fullName(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
}
