import type { Digest, Reference } from '@ocijs/image';
import type { RegistryOptions } from '../../options.ts';
import type { Session } from '../../session.ts';
import { isNotSigned, isOfOneSignature } from '../failure.ts';

/** What a registry is about to give us. */
export interface PulledContent {
  readonly repository: string;
  /** Of what the name stands for. */
  readonly digest: Digest;
  /** Of the manifests that are fetched of an index. */
  readonly manifests: readonly Digest[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks one requirement. Throws ERR_OCI_SIGNATURE_NOT_FOUND or ERR_OCI_SIGNATURE_INVALID, or their like, unless the
 * content fulfils it, and other errors when that cannot be known.
 */
export type RequirementCheck = (session: Session, content: PulledContent) => Promise<void>;

/** For which name a requirement is checked. */
export interface CheckContext {
  readonly reference: Reference;
  readonly options: Pick<RegistryOptions, 'registriesDirectory' | 'env' | 'signal'>;
}

/** A signature of the index holds for all that is below it; without one, each image must have its own. */
export async function admitContent(
  { digest, manifests }: PulledContent,
  examine: (digest: Digest) => Promise<void>,
): Promise<void> {
  const others = manifests.filter((each) => each !== digest);
  try {
    await examine(digest);
  } catch (error) {
    if (others.length === 0 || !isUnsigned(error)) throw error;
    try {
      for (const each of others) await examine(each);
    } catch (failure) {
      // What is wrong with a signature that is there says more than that there is no other.
      throw isNotSigned(failure) ? error : failure;
    }
  }
}

/** True for what says that content is not signed as it must be, as opposed to a failure to find out. */
export function isUnsigned(error: unknown): error is Error {
  return isOfOneSignature(error) || isNotSigned(error);
}
