import { signatureError } from '../failure.ts';

/** Sigstore's libraries, as far as they are used here. */
export interface SigstoreLibraries {
  readonly bundle: Pick<typeof import('@sigstore/bundle'), 'bundleFromJSON'>;
  readonly verify: Pick<typeof import('@sigstore/verify'), 'Verifier' | 'toSignedEntity' | 'toTrustMaterial'>;
  readonly specs: Pick<typeof import('@sigstore/protobuf-specs'), 'TrustedRoot'>;
}

/**
 * Loads the libraries, which are optional: certificates, transparency logs and time stamps are their business. Throws
 * ERR_OCI_SIGNATURE_LIBRARY_MISSING.
 */
export async function sigstoreLibraries(): Promise<SigstoreLibraries> {
  try {
    const [bundle, verify, specs] = await Promise.all([
      import('@sigstore/bundle'),
      import('@sigstore/verify'),
      import('@sigstore/protobuf-specs'),
    ]);
    return { bundle, verify, specs };
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw signatureError(
      'ERR_OCI_SIGNATURE_LIBRARY_MISSING',
      "keyless signatures need sigstore's libraries, which are not installed",
      { cause, hint: 'npm install @sigstore/bundle @sigstore/verify @sigstore/protobuf-specs' },
    );
  }
}
