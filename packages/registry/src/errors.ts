import { type ErrorDetails, OciError } from '@ocijs/image';

/**
 * Every code that the registry client throws; digest and size mismatches carry the codes of `@ocijs/image`.
 */
export type RegistryErrorCode =
  /** Credentials are needed, or were refused (401). */
  | 'ERR_OCI_REGISTRY_UNAUTHORIZED'
  /** The credentials are known but not allowed to do this (403). */
  | 'ERR_OCI_REGISTRY_DENIED'
  /** The registry does not have the manifest, blob or repository (404). */
  | 'ERR_OCI_REGISTRY_NOT_FOUND'
  /** The registry asks to slow down (429). */
  | 'ERR_OCI_REGISTRY_RATE_LIMITED'
  /** No answer: connection, name resolution, TLS, time-outs, or 5xx. */
  | 'ERR_OCI_REGISTRY_UNAVAILABLE'
  /** The answer does not follow the distribution specification. */
  | 'ERR_OCI_REGISTRY_PROTOCOL'
  /** The registry does not offer the operation (405, 501, or read-only). */
  | 'ERR_OCI_REGISTRY_UNSUPPORTED'
  /** A redirect, upload location, page link or token realm points where no request may go. */
  | 'ERR_OCI_REGISTRY_REDIRECT_REFUSED'
  /** The registry refused an uploaded blob. */
  | 'ERR_OCI_REGISTRY_BLOB_INVALID'
  /** The registry refused a manifest. */
  | 'ERR_OCI_REGISTRY_MANIFEST_INVALID'
  /** What is to be pushed is not complete in the store. */
  | 'ERR_OCI_REGISTRY_INCOMPLETE'
  /** An artifact's files or names cannot be attached or written. */
  | 'ERR_OCI_REGISTRY_ARTIFACT_INVALID'
  /** A file of an artifact is there already. */
  | 'ERR_OCI_REGISTRY_ARTIFACT_EXISTS'
  /** The configuration (`registries.conf`, `hosts.toml`) keeps the registry or repository from being used. */
  | 'ERR_OCI_REGISTRY_BLOCKED'
  /** A `registries.conf`, a `hosts.toml` or a file of `registries.d` cannot be read. */
  | 'ERR_OCI_REGISTRY_CONFIG_INVALID'
  /** An authentication file or option cannot be used. */
  | 'ERR_OCI_REGISTRY_CREDENTIALS_INVALID'
  /** A credential helper is missing, failed, or did not answer in time. */
  | 'ERR_OCI_REGISTRY_CREDENTIAL_HELPER'
  /** A certificate or key file cannot be used. */
  | 'ERR_OCI_REGISTRY_CERTIFICATE_INVALID'
  /** An image has no signature. */
  | 'ERR_OCI_SIGNATURE_NOT_FOUND'
  /** None of an image's signatures counts. */
  | 'ERR_OCI_SIGNATURE_INVALID'
  /** A key cannot be read, decrypted or used. */
  | 'ERR_OCI_SIGNATURE_KEY_INVALID'
  /** A trusted root for keyless signatures cannot be used. */
  | 'ERR_OCI_SIGNATURE_TRUST_ROOT_INVALID'
  /** Keyless signatures need libraries that are not installed. */
  | 'ERR_OCI_SIGNATURE_LIBRARY_MISSING'
  /** GPG signatures need gpg, which is missing, failed, or did not answer in time. */
  | 'ERR_OCI_SIGNATURE_GPG'
  /** A `policy.json` cannot be read. */
  | 'ERR_OCI_SIGNATURE_POLICY_INVALID'
  /** The policy asks for something that this version cannot check. */
  | 'ERR_OCI_SIGNATURE_POLICY_UNSUPPORTED'
  /** The policy does not let the image in. */
  | 'ERR_OCI_SIGNATURE_REJECTED';

/** What a {@link RegistryError} is made from. */
export interface RegistryErrorDetails extends ErrorDetails {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
}

/** An error of `@ocijs/registry`. URLs in its message and facts are redacted. */
export class RegistryError extends OciError<RegistryErrorCode> {
  /** True when the same request may succeed a little later. */
  readonly retryable: boolean;
  /** How long the registry asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    const { retryable, retryAfterMs, ...rest } = details;
    super(code, message, rest);
    this.retryable = retryable ?? false;
    this.retryAfterMs = retryAfterMs;
  }
}
