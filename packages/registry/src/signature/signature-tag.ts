import { type Digest, digestAlgorithm, digestHex } from '@ocijs/image';
import { isTag } from '../names.ts';

/** The tag of an image's signatures; undefined for a digest that is too long for a tag. */
export function signatureTag(digest: Digest): string | undefined {
  const tag = `${digestAlgorithm(digest)}-${digestHex(digest)}.sig`;
  return isTag(tag) ? tag : undefined;
}
