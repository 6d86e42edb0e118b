import { OciError } from '@ocijs/image';
import { RegistryError, type RegistryErrorCode, type RegistryErrorDetails } from '../errors.ts';

type SignatureErrorCode = Extract<RegistryErrorCode, `ERR_OCI_SIGNATURE_${string}`>;

/** An error about signatures, keys or trust. */
export function signatureError(
  code: SignatureErrorCode,
  message: string,
  details: RegistryErrorDetails = {},
): RegistryError {
  return new RegistryError(code, message, details);
}

/** Why one signature does not count; others may. */
export function unacceptable(reason: string, details: RegistryErrorDetails = {}): RegistryError {
  return signatureError('ERR_OCI_SIGNATURE_INVALID', reason, details);
}

/** Errors about what a signature is, as opposed to failures on the way to it. */
const contentCodes: ReadonlySet<string> = new Set([
  'ERR_OCI_SIGNATURE_INVALID',
  'ERR_OCI_REGISTRY_NOT_FOUND',
  'ERR_OCI_DIGEST_MISMATCH',
  'ERR_OCI_DIGEST_UNSUPPORTED',
  'ERR_OCI_SIZE_MISMATCH',
  'ERR_OCI_LIMIT_EXCEEDED',
  'ERR_OCI_JSON_INVALID',
  'ERR_OCI_MANIFEST_INVALID',
  'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
]);

/** True when the failure is that of one signature only, so that the next one is looked at. */
export function isOfOneSignature(error: unknown): error is OciError {
  return error instanceof OciError && contentCodes.has(error.code);
}

/** True when an image has no signature at all. */
export function isNotSigned(error: unknown): error is OciError {
  return error instanceof OciError && error.code === 'ERR_OCI_SIGNATURE_NOT_FOUND';
}
