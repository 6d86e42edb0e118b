/**
 * The bytes that a DSSE signature is over ("Pre-Authentication Encoding"): type and content with their lengths, so that
 * neither can be taken for a part of the other.
 */
export function envelopeBytes(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType);
  const head = Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
  ]);
  return Buffer.concat([head, payload]);
}
