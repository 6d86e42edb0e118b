import type { Digest } from '@ocijs/image';
import { limits } from '../../limits.ts';
import { examineSignatures } from '../examine.ts';
import { signatureError } from '../failure.ts';
import { checkIdentity } from '../identity.ts';
import { keyTrust } from '../key-trust.ts';
import { parsePublicKey } from '../keys/public-key.ts';
import { usesAttachments } from '../lookaside/find-lookaside.ts';
import { loadRegistriesD } from '../lookaside/load-registries-d.ts';
import { readKeySources } from './key-sources.ts';
import { admitContent, type CheckContext, type RequirementCheck } from './requirement-check.ts';
import type { PolicyRequirement } from './types.ts';

/**
 * Prepares the check of `sigstoreSigned`: by a key, with a signature that is in the registry, unless `registries.d` says
 * that those of sigstore are not to be looked for. Throws ERR_OCI_SIGNATURE_KEY_INVALID, ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function sigstoreSignedCheck(
  requirement: PolicyRequirement & { readonly type: 'sigstoreSigned' },
  { reference, options }: CheckContext,
): Promise<RequirementCheck> {
  const { signal } = options;
  const files = await readKeySources(requirement.keys, { limit: limits.keyFileBytes, signal });
  const trust = keyTrust(files.map(({ bytes, name }) => parsePublicKey(bytes, name)));
  const configuration = await loadRegistriesD(options);
  return async (session, content) => {
    const { registry } = session;
    const { repository } = content;
    const { signedIdentity: rule } = requirement;
    if (!usesAttachments(configuration, { ...reference, registry, repository }))
      throw signatureError(
        'ERR_OCI_SIGNATURE_NOT_FOUND',
        'registries.d says use-sigstore-attachments: false of it',
      );
    await admitContent(content, async (digest: Digest) => {
      await examineSignatures(session, {
        repository,
        digest,
        reference,
        trust,
        checkClaim: ({ identity }) => checkIdentity(identity, { rule, wanted: reference }),
        enough: 'one',
        signal: content.signal,
      });
    });
  };
}
