import { RegistryError } from './errors.ts';
import { printable } from './transport/redact.ts';

/** Characters of a name, and of one component of it, that file systems take. */
const longestTitle = 1_024;
const longestComponent = 255;

/**
 * Splits a title into the components of a relative path, or throws ERR_OCI_REGISTRY_ARTIFACT_INVALID. A title
 * is whatever the one who pushed it wrote: only plain names below the directory are taken, on any system.
 */
export function checkTitle(title: string): readonly string[] {
  const parts = title.split('/');
  if (title.length <= longestTitle && parts.every(isPlainName)) return parts;
  throw new RegistryError(
    'ERR_OCI_REGISTRY_ARTIFACT_INVALID',
    `title "${printable(title)}" of an artifact's file is not a plain relative path`,
    {
      entry: printable(title),
      hint: 'nothing was written; the artifact may be an attempt to write elsewhere',
    },
  );
}

function isPlainName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || Buffer.byteLength(name) > longestComponent)
    return false;
  // Windows takes `\` for a separator, and `C:name` and `name:stream` for something else than a name.
  if (/[\p{Cc}\\]/u.test(name) || (process.platform === 'win32' && /[:*?"<>|]|[. ]$/.test(name)))
    return false;
  return !/^[A-Za-z]:/.test(name) && name.isWellFormed();
}

/** How {@link checkTitlesAgree} compares. */
export interface TitleComparison {
  /** Names that differ in case, or in how a letter is composed, are one: so it is on macOS and Windows by default. */
  readonly foldsCase?: boolean;
}

/** Refuses titles of which one would have to be a file and a directory at once, or two the same file. */
export function checkTitlesAgree(
  titles: readonly string[],
  { foldsCase = process.platform === 'darwin' || process.platform === 'win32' }: TitleComparison = {},
): void {
  const keyOf = (title: string): string => (foldsCase ? title.normalize('NFC').toLowerCase() : title);
  const taken = new Set<string>();
  for (const title of titles) {
    if (taken.has(keyOf(title))) throw clash(title);
    taken.add(keyOf(title));
  }
  for (const title of titles) {
    const parts = title.split('/');
    for (let length = 1; length < parts.length; length++) {
      const parent = parts.slice(0, length).join('/');
      if (taken.has(keyOf(parent))) throw clash(parent);
    }
  }
}

function clash(title: string): RegistryError {
  return new RegistryError(
    'ERR_OCI_REGISTRY_ARTIFACT_INVALID',
    `two files of the artifact want the name "${printable(title)}"`,
    { entry: printable(title) },
  );
}
