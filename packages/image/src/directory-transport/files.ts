import { type Digest, digestHex, parseAnyDigest } from '../digest/digest.ts';

/** What skopeo writes into the file `version`. */
export const VERSION_TEXT = 'Directory Transport Version: 1.1\n';

/** What every version of that file begins with. */
export const VERSION_PREFIX = 'Directory Transport Version: ';

/** The file of a blob: its hexadecimal digest, with the algorithm before it unless that is sha256. */
export function blobFile(digest: Digest): string {
  const hex = digestHex(parseAnyDigest(digest));
  const algorithm = digest.slice(0, digest.indexOf(':'));
  return algorithm === 'sha256' ? hex : `${algorithm}-${hex}`;
}

/** The file of a manifest below an index; the one on top is `manifest.json`. */
export function manifestFile(digest: Digest): string {
  return `${blobFile(digest)}.manifest.json`;
}

/** True for the name of a file that this transport writes. */
export function isOwnFile(name: string): boolean {
  return /^(?:[0-9a-z]+-)?[0-9a-f]{64,128}(?:\.manifest\.json)?$|^signature-\d+$|\.partial$/.test(name);
}
