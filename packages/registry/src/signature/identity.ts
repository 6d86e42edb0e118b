import { formatReference, isOciError, parseReference, type Reference } from '@ocijs/image';
import { unacceptable } from './failure.ts';

/** Which name a signature must carry (containers-policy.json(5), "signedIdentity"). */
export type SignedIdentity =
  /** The name that is asked for, with its tag or digest. */
  | { readonly type: 'matchExact' }
  /** The same; asked for by digest, the repository is enough. */
  | { readonly type: 'matchRepoDigestOrExact' }
  | { readonly type: 'matchRepository' }
  | { readonly type: 'exactReference'; readonly dockerReference: string }
  | { readonly type: 'exactRepository'; readonly dockerRepository: string }
  /** As matchRepoDigestOrExact, after `prefix` of the name that is asked for was replaced. */
  | { readonly type: 'remapIdentity'; readonly prefix: string; readonly signedPrefix: string };

/** A name as it is written: without the tag that is implied elsewhere. */
interface WrittenName {
  /** `HOST[:PORT]/REPOSITORY`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Throws ERR_OCI_SIGNATURE_INVALID unless the name in a signature fits the one that is asked for. */
export function checkIdentity(
  signed: string | undefined,
  { rule, wanted }: { readonly rule: SignedIdentity; readonly wanted: Reference },
): void {
  if (signed === undefined) throw unacceptable('the signature names no image');
  const { tag: _tag, ...byDigest } = wanted;
  // By digest, a tag beside it says nothing: it may have moved.
  const name = formatReference(wanted.digest === undefined ? wanted : byDigest);
  if (fitsIdentity(signed, { rule, wanted: name })) return;
  throw unacceptable(`the signature is of ${JSON.stringify(signed.slice(0, 300))}`);
}

/** True when the name in a signature fits the name of an image, both as they are written. */
export function fitsIdentity(
  signed: string,
  { rule, wanted }: { readonly rule: SignedIdentity; readonly wanted: string },
): boolean {
  const own = readName(signed);
  const image = readName(wanted);
  return own !== undefined && image !== undefined && fits(own, rule, image);
}

function fits(signed: WrittenName, rule: SignedIdentity, wanted: WrittenName): boolean {
  switch (rule.type) {
    case 'matchExact':
      return isSame(signed, wanted);
    case 'matchRepoDigestOrExact':
      return fitsByDigest(signed, wanted);
    case 'matchRepository':
      return signed.repository === wanted.repository;
    case 'exactReference': {
      const exact = readName(rule.dockerReference);
      return exact !== undefined && isSame(signed, exact);
    }
    case 'exactRepository':
      return signed.repository === readName(rule.dockerRepository)?.repository;
    default: {
      const remapped = remap(wanted, rule);
      return remapped !== undefined && fitsByDigest(signed, remapped);
    }
  }
}

function fitsByDigest(signed: WrittenName, wanted: WrittenName): boolean {
  const isByDigest = wanted.tag === undefined && wanted.digest !== undefined;
  if (!isByDigest) return isSame(signed, wanted);
  return isFull(signed) && signed.repository === wanted.repository;
}

function isSame(one: WrittenName, other: WrittenName): boolean {
  const isEqual = one.repository === other.repository && one.tag === other.tag && one.digest === other.digest;
  return isEqual && isFull(one);
}

/** A name without tag and digest says which repository is meant, and no image in it. */
function isFull({ tag, digest }: WrittenName): boolean {
  return tag !== undefined || digest !== undefined;
}

/** A prefix is whole components of the name; a name that it does not fit stays as it is. */
function remap(
  wanted: WrittenName,
  { prefix, signedPrefix }: { readonly prefix: string; readonly signedPrefix: string },
): WrittenName | undefined {
  const { repository } = wanted;
  const isPrefix = repository === prefix || repository.startsWith(`${prefix}/`);
  if (!isPrefix) return wanted;
  const remapped = signedPrefix + repository.slice(prefix.length);
  // What would only be a name after completion, such as a host alone, names something else.
  return readName(remapped)?.repository === remapped ? { ...wanted, repository: remapped } : undefined;
}

/** Undefined for text that names no image. */
function readName(text: string): WrittenName | undefined {
  try {
    const { registry, repository, tag, digest } = parseReference(text);
    const isTagWritten = /:[^/@]+(?:@|$)/.test(text.replace(/@.*$/s, '@'));
    return {
      repository: formatReference({ registry, repository }),
      tag: isTagWritten ? tag : undefined,
      digest,
    };
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
}
