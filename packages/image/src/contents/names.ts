import type { TarEntry } from '../tar/entry.ts';
import { invalidTar, quoteName } from '../tar/failure.ts';

/** Where lone surrogates for bytes that are no UTF-8 begin: a byte 0x80 is U+DC80, as in Python and `@ocijs/linux`. */
const escapeBase = 0xdc00;

/** How long a name may be in characters, and how many directories may lie above it. */
const NAME_LIMIT = 4095;
const DEPTH_LIMIT = 512;

/** The text for a name's bytes: no two names have the same, and {@link bytesOfText} leads back. */
export function textOfBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch {
    return escapeInvalid(Buffer.from(bytes));
  }
}

/** The bytes of a name. */
export function bytesOfText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = [...text].map((character) => {
    const code = character.charCodeAt(0);
    const isByte = character.length === 1 && code >= escapeBase + 0x80 && code <= escapeBase + 0xff;
    return isByte ? Buffer.of(code - escapeBase) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/** The name of an entry as {@link textOfBytes} has it. */
export function entryName({ name, nameBytes }: Pick<TarEntry, 'name' | 'nameBytes'>): string {
  return nameBytes === undefined ? name : textOfBytes(nameBytes);
}

/** The link name of an entry in the same form. */
export function entryLinkname({
  linkname,
  linknameBytes,
}: Pick<TarEntry, 'linkname' | 'linknameBytes'>): string {
  return linknameBytes === undefined ? linkname : textOfBytes(linknameBytes);
}

/**
 * The components of a name as if the root file system were the root directory: `/x`, `./x` and `../x` are `x`. Empty
 * for the root. Throws ERR_OCI_TAR_INVALID for names with NUL, and for too long or deep ones.
 */
export function cleanPath(name: string): readonly string[] {
  if (name.length > NAME_LIMIT || name.includes('\0'))
    throw invalidTar(`tar entry ${quoteName(name)} cannot be the name of a file`, { entry: name });
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  if (components.length > DEPTH_LIMIT)
    throw invalidTar(`tar entry ${quoteName(name)} lies too deep`, { entry: name, limit: DEPTH_LIMIT });
  return components;
}

function escapeInvalid(bytes: Buffer): string {
  let text = '';
  for (let index = 0; index < bytes.length; ) {
    const length = sequenceLength(bytes, index);
    text +=
      length === 0
        ? String.fromCharCode(escapeBase + (bytes[index] ?? 0))
        : bytes.toString('utf8', index, index + length);
    index += Math.max(length, 1);
  }
  return text;
}

function sequenceLength(bytes: Buffer, index: number): number {
  const first = bytes[index] ?? 0;
  const length =
    first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const sequence = bytes.subarray(index, index + length);
  if (length === 0 || sequence.length !== length) return 0;
  return Buffer.from(sequence.toString('utf8')).equals(sequence) ? length : 0;
}

/** Orders names by their bytes, as tar and overlayfs see them. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 code units order like bytes unless surrogates are involved.
  if (!/[\ud800-\uffff]/.test(a) && !/[\ud800-\uffff]/.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(bytesOfText(a), bytesOfText(b));
}
