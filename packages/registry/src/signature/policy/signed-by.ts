import type { Digest } from '@ocijs/image';
import { registryEnvironment } from '../../env.ts';
import { limits } from '../../limits.ts';
import { type GpgKeys, type Keyring, type KeyringOptions, openKeyring } from '../gpg/keyring.ts';
import { examineLookaside } from '../lookaside/examine-lookaside.ts';
import { findLookaside } from '../lookaside/find-lookaside.ts';
import { loadRegistriesD } from '../lookaside/load-registries-d.ts';
import { openLookaside } from '../lookaside/read-signatures.ts';
import { readKeySources } from './key-sources.ts';
import { admitContent, type CheckContext, type RequirementCheck } from './requirement-check.ts';
import type { PolicyRequirement } from './types.ts';

/**
 * Prepares the check of `signedBy`: by a GPG key, with a signature in the place that `registries.d` names for the
 * repository that the content comes from. Throws ERR_OCI_SIGNATURE_KEY_INVALID, ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function signedByCheck(
  requirement: PolicyRequirement & { readonly type: 'signedBy' },
  { reference, options }: CheckContext,
): Promise<RequirementCheck> {
  const { env } = options;
  const limit = limits.gpgKeyFileBytes;
  const keys = await readKeySources(requirement.keys, { limit, signal: options.signal });
  const configuration = await loadRegistriesD(options);
  return async (session, content) => {
    const { registry, options: ownOptions } = session;
    const { repository, signal = options.signal } = content;
    const own = { ...reference, registry, repository };
    const lookaside = findLookaside(configuration, { reference: own, env });
    await using reader = openLookaside(lookaside, { ...ownOptions, signal });
    await using keyring = lazyKeyring(keys, {
      searchPath: registryEnvironment(env).variables['PATH'],
      signal,
    });
    await admitContent(content, (digest: Digest) =>
      examineLookaside(reader, {
        digest,
        lookaside,
        reference: own,
        identity: { rule: requirement.signedIdentity, wanted: reference },
        verify: (message) => keyring.verify(message),
        signal,
      }),
    );
  };
}

/** Opened for the first signature, which most images that are refused do not have. */
function lazyKeyring(keys: readonly GpgKeys[], options: KeyringOptions): Keyring {
  let opened: Promise<Keyring> | undefined;
  return {
    async verify(message) {
      opened ??= openKeyring(keys, options);
      return (await opened).verify(message);
    },
    async [Symbol.asyncDispose]() {
      const [result] = await Promise.allSettled([opened]);
      if (result.status === 'fulfilled') await result.value?.[Symbol.asyncDispose]();
    },
  };
}
