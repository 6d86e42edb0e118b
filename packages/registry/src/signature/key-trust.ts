import { unacceptable } from './failure.ts';
import { envelopeBytes } from './forms/envelope.ts';
import { isSignedBy, type VerificationKey } from './keys/public-key.ts';
import type { AttachedSignature, Trust } from './types.ts';

/** Trusts what one of the keys signed. */
export function keyTrust(keys: readonly VerificationKey[]): Trust {
  return {
    async authenticate(attached) {
      const signed = signedBytes(attached);
      const key = keys.find((each) => isSignedBy(each, signed));
      if (key !== undefined) return { type: 'key', key: key.name };
      throw unacceptable(keys.length === 1 ? 'the key did not make it' : 'none of the keys made it');
    },
  };
}

function signedBytes(attached: AttachedSignature): {
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
} {
  if (attached.form !== 'bundle') return { data: attached.payload, signature: attached.signature };
  const { payload, payloadType, signature } = attached.bundle;
  return { data: envelopeBytes(payloadType, payload), signature };
}
