import { OciError } from '@ocijs/image/errors';

/** Every code that `@ocijs/build` throws. */
export type BuildErrorCode =
  | 'ERR_OCI_DOCKERFILE_INVALID'
  | 'ERR_OCI_IGNORE_PATTERN_INVALID'
  | 'ERR_OCI_BUILD_SOURCE_NOT_FOUND'
  | 'ERR_OCI_BUILD_COPY_CONFLICT'
  | 'ERR_OCI_BUILD_FILE_UNREADABLE'
  | 'ERR_OCI_BUILD_CONTEXT_INVALID'
  | 'ERR_OCI_BUILD_STEP_FAILED'
  | 'ERR_OCI_BUILD_ARCHIVE_INVALID'
  | 'ERR_OCI_BUILD_CHECKSUM_MISMATCH'
  | 'ERR_OCI_BUILD_DOWNLOAD_FAILED'
  | 'ERR_OCI_BUILD_SECRET_MISSING'
  | 'ERR_OCI_BUILD_LOCK_DRIFT'
  | 'ERR_OCI_BUILD_LOCK_INVALID'
  | 'ERR_OCI_BUILD_UNSUPPORTED';

/** An error of `@ocijs/build`. */
export class BuildError extends OciError<BuildErrorCode> {}
