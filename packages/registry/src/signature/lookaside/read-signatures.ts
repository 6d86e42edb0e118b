import type { Digest } from '@ocijs/image';
import { limits } from '../../limits.ts';
import type { RegistryOptions } from '../../options.ts';
import { unacceptable } from '../failure.ts';
import { isBinaryOpenPgp } from '../gpg/keyring.ts';
import { readSignatureFile } from './file.ts';
import { type Lookaside, signatureUrl } from './find-lookaside.ts';
import { openLookasideHost } from './http.ts';

/** A GPG signature with the document that it is over; nothing of it is verified. */
export interface LookasideSignature {
  /** Its URL, without what may be secret. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Reads what is in a lookaside. */
export interface LookasideReader extends AsyncDisposable {
  /** The signatures of one image, as they are asked for: from the first on until one is missing. */
  signatures(digest: Digest): AsyncGenerator<LookasideSignature>;
}

/**
 * Opens a lookaside for reading; nothing is asked before the first signature is. Reading throws
 * ERR_OCI_SIGNATURE_INVALID for more than 128 signatures, one of more than 256 KiB or what is none at all,
 * {@link RegistryError} when a server fails, `signal.reason`.
 */
export function openLookaside(lookaside: Lookaside, options: RegistryOptions): LookasideReader {
  const host =
    lookaside.url.protocol === 'file:'
      ? { read: (url: URL) => readSignatureFile(url, options), [Symbol.asyncDispose]: async () => undefined }
      : openLookasideHost(lookaside.url.host, options);
  return {
    async *signatures(digest) {
      for (let position = 1; position <= limits.lookasideSignatures; position++) {
        const found = await host.read(signatureUrl(lookaside, { digest, position }));
        if (found === undefined) return;
        if (isSimpleSigning(found)) yield found;
      }
      throw unacceptable(`it has more than ${limits.lookasideSignatures - 1} signatures in its lookaside`);
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** What containers/image writes before signatures of another kind. */
const otherKind = Buffer.from('\0sigstore-json\n');

/** What is no signature at all ends the list, as it does for containers/image: the place is not what it should be. */
function isSimpleSigning({ name, bytes }: LookasideSignature): boolean {
  if (otherKind.equals(bytes.subarray(0, otherKind.length))) return false;
  if (isBinaryOpenPgp(bytes)) return true;
  throw unacceptable(`${name} is no signature in binary form`);
}
