import { type Digest, formatReference, type Reference } from '@ocijs/image';
import type { RegistryOptions } from '../../options.ts';
import type { Session } from '../../session.ts';
import { examineSignatures } from '../examine.ts';
import { isNotSigned, isOfOneSignature, signatureError } from '../failure.ts';
import { checkIdentity } from '../identity.ts';
import { keyTrust } from '../key-trust.ts';
import { readKeyFile } from '../keys/key-file.ts';
import { parsePublicKey, type VerificationKey } from '../keys/public-key.ts';
import { findRequirements } from './find-requirements.ts';
import { loadPolicy } from './load-policy.ts';
import type { KeySource, PolicyRequirement } from './types.ts';

/** What a registry is about to give us. */
export interface PulledContent {
  readonly repository: string;
  /** Of what the name stands for. */
  readonly digest: Digest;
  /** Of the manifests that are fetched of an index. */
  readonly manifests: readonly Digest[];
  readonly signal?: AbortSignal | undefined;
}

/** The rules for one name. */
export interface PullPolicy {
  /** The policy's file; undefined when there is none. */
  readonly path: string | undefined;
  /** The types of what it asks. */
  readonly requirements: readonly string[];
  /**
   * Throws ERR_OCI_SIGNATURE_REJECTED unless the content is signed as it must be: the index itself, or each image that
   * is fetched of it. Without requirements, nothing is asked of the registry.
   */
  admit(session: Session, content: PulledContent): Promise<void>;
}

type SigstoreSigned = PolicyRequirement & { readonly type: 'sigstoreSigned' };

/**
 * What the signature policy of this machine says of a name, before anything is sent: an image that no signature could
 * save is refused here. Throws ERR_OCI_SIGNATURE_REJECTED, ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED,
 * ERR_OCI_SIGNATURE_POLICY_INVALID, ERR_OCI_SIGNATURE_KEY_INVALID.
 */
export async function pullPolicy(
  reference: Reference,
  options: Pick<RegistryOptions, 'policy' | 'env' | 'signal'>,
): Promise<PullPolicy> {
  const policy = await loadPolicy(options);
  if (policy === undefined) return { path: undefined, requirements: [], admit: async () => undefined };
  const { path } = policy;
  const requirements = findRequirements(policy, reference);
  const checks: { readonly requirement: SigstoreSigned; readonly keys: readonly VerificationKey[] }[] = [];
  for (const requirement of requirements) {
    if (requirement.type === 'insecureAcceptAnything') continue;
    if (requirement.type === 'reject') throw refused(reference, path);
    if (requirement.type === 'unsupported') throw unsupported(reference, { path, what: requirement.what });
    checks.push({ requirement, keys: await readKeys(requirement.keys, options) });
  }
  return {
    path,
    requirements: requirements.map(({ type }) => type),
    async admit(session, content) {
      for (const { requirement, keys } of checks) {
        const { signedIdentity: rule } = requirement;
        const examine = async (digest: Digest): Promise<void> => {
          await examineSignatures(session, {
            repository: content.repository,
            digest,
            reference,
            trust: keyTrust(keys),
            checkClaim: ({ identity }) => checkIdentity(identity, { rule, wanted: reference }),
            enough: 'one',
            signal: content.signal,
          });
        };
        await admitContent(content, examine).catch((error: unknown) => {
          throw isUnsigned(error) ? notAdmitted(reference, { path, cause: error }) : error;
        });
      }
    },
  };
}

/** A signature of the index holds for all that is below it; without one, each image must have its own. */
async function admitContent(
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

function isUnsigned(error: unknown): error is Error {
  return isOfOneSignature(error) || isNotSigned(error);
}

async function readKeys(
  sources: readonly KeySource[],
  { signal }: Pick<RegistryOptions, 'signal'>,
): Promise<readonly VerificationKey[]> {
  const keys: VerificationKey[] = [];
  for (const source of sources) {
    if ('path' in source) keys.push(parsePublicKey(await readKeyFile(source.path, { signal }), source.path));
    else keys.push(parsePublicKey(source.pem, 'key of the policy'));
  }
  return keys;
}

const hint =
  'if you trust the image, name another policy with --policy; --insecure-policy asks for no signature';

function refused(reference: Reference, path: string): Error {
  const name = formatReference(reference);
  return signatureError('ERR_OCI_SIGNATURE_REJECTED', `${name} is refused by the signature policy ${path}`, {
    reference: name,
    path,
    hint,
  });
}

function notAdmitted(
  reference: Reference,
  { path, cause }: { readonly path: string; readonly cause: Error },
): Error {
  const name = formatReference(reference);
  return signatureError(
    'ERR_OCI_SIGNATURE_REJECTED',
    `${name} is not signed as the signature policy ${path} asks: ${cause.message}`,
    { reference: name, path, cause, hint },
  );
}

function unsupported(
  reference: Reference,
  { path, what }: { readonly path: string; readonly what: string },
): Error {
  const name = formatReference(reference);
  return signatureError(
    'ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED',
    `the signature policy ${path} asks for ${what} of ${name}, which this version cannot check`,
    { reference: name, path, hint },
  );
}
