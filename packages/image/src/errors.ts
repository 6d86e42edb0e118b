const brand: unique symbol = Symbol.for('ocijs.error');

/** The facts of a failure, as typed fields: what was expected, what was found, and where. */
export interface ErrorFacts {
  readonly expected?: string | number;
  readonly actual?: string | number;
  readonly limit?: number;
  readonly digest?: string;
  readonly reference?: string;
  readonly path?: string;
  /** The name of a tar entry, as written in the archive. */
  readonly entry?: string;
  /** A JSON path such as `$.layers[0].digest`. */
  readonly jsonPath?: string;
  /** A place in a text file, both counted from 1. */
  readonly line?: number;
  readonly column?: number;
  /** Without credentials: redact before you set it. */
  readonly url?: string;
  readonly status?: number;
  readonly syscall?: string;
  readonly errno?: string;
}

/** What every error of this toolchain is made from. */
export interface ErrorDetails extends ErrorFacts {
  readonly cause?: unknown;
  /** One sentence for the person: what to do next. */
  readonly hint?: string;
}

/**
 * The base of every error that the toolchain throws on purpose. `code` is stable and listed in
 * `docs/errors.md`; the message starts lower-case, names the object concerned and holds no secret.
 */
export class OciError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly facts: ErrorFacts;
  readonly hint: string | undefined;

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    const { cause, hint, ...facts } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
    this.hint = hint;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for any {@link OciError}, also one from another copy of this package; with `code`, only for that code. */
export function isOciError(error: unknown, code?: string): error is OciError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false;
  return code === undefined || (error as { code?: unknown }).code === code;
}

/** Every code that `@ocijs/image` throws. */
export type ImageErrorCode =
  | 'ERR_OCI_DIGEST_INVALID'
  | 'ERR_OCI_DIGEST_UNSUPPORTED'
  | 'ERR_OCI_DIGEST_MISMATCH'
  | 'ERR_OCI_SIZE_MISMATCH'
  | 'ERR_OCI_LIMIT_EXCEEDED'
  | 'ERR_OCI_JSON_INVALID'
  | 'ERR_OCI_MANIFEST_INVALID'
  | 'ERR_OCI_CONFIG_INVALID'
  | 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED'
  | 'ERR_OCI_REFERENCE_INVALID'
  | 'ERR_OCI_PLATFORM_INVALID'
  | 'ERR_OCI_PLATFORM_NOT_FOUND'
  | 'ERR_OCI_TAR_INVALID'
  /** A layer that readers may see differently; `validateImage` alone says so. */
  | 'ERR_OCI_TAR_AMBIGUOUS'
  | 'ERR_OCI_COMPRESSION_INVALID'
  | 'ERR_OCI_COMPRESSION_UNSUPPORTED'
  | 'ERR_OCI_STORE_INVALID'
  | 'ERR_OCI_STORE_LOCKED'
  | 'ERR_OCI_STORE_DENIED'
  | 'ERR_OCI_STORE_FULL'
  | 'ERR_OCI_STORE_FAILED'
  | 'ERR_OCI_BLOB_NOT_FOUND'
  | 'ERR_OCI_IMAGE_NOT_FOUND'
  | 'ERR_OCI_EDIT_INVALID'
  | 'ERR_OCI_ARCHIVE_INVALID'
  | 'ERR_OCI_ARCHIVE_FAILED';

/** An error of `@ocijs/image`. */
export class ImageError extends OciError<ImageErrorCode> {}
