import { formatReference, type Reference } from '@ocijs/image';
import type { RegistryOptions } from '../../options.ts';
import type { Session } from '../../session.ts';
import { signatureError } from '../failure.ts';
import { findRequirements } from './find-requirements.ts';
import { loadPolicy } from './load-policy.ts';
import { isUnsigned, type PulledContent, type RequirementCheck } from './requirement-check.ts';
import { signedByCheck } from './signed-by.ts';
import { sigstoreSignedCheck } from './sigstore-signed.ts';

/** The rules for one name. */
export interface PullPolicy {
  /** The policy's file; undefined when there is none. */
  readonly path: string | undefined;
  /** The types of what it asks. */
  readonly requirements: readonly string[];
  /**
   * Throws ERR_OCI_SIGNATURE_REJECTED unless the content is signed as it must be: the index itself, or each image that
   * is fetched of it; ERR_OCI_SIGNATURE_GPG, ERR_OCI_SIGNATURE_KEY_INVALID and what reading signatures throws. Without
   * requirements, nothing is asked of anybody.
   */
  admit(session: Session, content: PulledContent): Promise<void>;
}

/**
 * What the signature policy of this machine says of a name, before anything is sent: an image that no signature could
 * save is refused here. Throws ERR_OCI_SIGNATURE_REJECTED, ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED,
 * ERR_OCI_SIGNATURE_POLICY_INVALID, ERR_OCI_SIGNATURE_KEY_INVALID, ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function pullPolicy(
  reference: Reference,
  options: Pick<RegistryOptions, 'policy' | 'registriesDirectory' | 'env' | 'signal'>,
): Promise<PullPolicy> {
  const policy = await loadPolicy(options);
  if (policy === undefined) return { path: undefined, requirements: [], admit: async () => undefined };
  const { path } = policy;
  const requirements = findRequirements(policy, reference);
  const checks: { readonly what: string; readonly check: RequirementCheck }[] = [];
  const context = { reference, options };
  for (const [index, requirement] of requirements.entries()) {
    const { type } = requirement;
    const what =
      requirements.length === 1 ? type : `${type}, requirement ${index + 1} of ${requirements.length}`;
    switch (type) {
      case 'insecureAcceptAnything':
        break;
      case 'signedBy':
        checks.push({ what, check: await signedByCheck(requirement, context) });
        break;
      case 'sigstoreSigned':
        checks.push({ what, check: await sigstoreSignedCheck(requirement, context) });
        break;
      case 'unsupported':
        throw unsupported(reference, { path, what: requirement.what });
      default:
        throw refused(reference, path);
    }
  }
  return {
    path,
    requirements: requirements.map(({ type }) => type),
    async admit(session, content) {
      for (const { what, check } of checks) {
        await check(session, content).catch((cause: unknown) => {
          throw isUnsigned(cause) ? notAdmitted(reference, { path, what, cause }) : cause;
        });
      }
    },
  };
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
  { path, what, cause }: { readonly path: string; readonly what: string; readonly cause: Error },
): Error {
  const name = formatReference(reference);
  return signatureError(
    'ERR_OCI_SIGNATURE_REJECTED',
    `${name} is not signed as the signature policy ${path} asks (${what}): ${cause.message}`,
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
