import { OciError } from '@ocijs/image/errors';

/** Every code that `@ocijs/bundle` throws. */
export type BundleErrorCode =
  | 'ERR_OCI_BUNDLE_EXISTS'
  | 'ERR_OCI_BUNDLE_INVALID'
  | 'ERR_OCI_LAYER_INVALID'
  | 'ERR_OCI_LAYER_ESCAPE'
  | 'ERR_OCI_UNPACK_DENIED'
  | 'ERR_OCI_UNPACK_FAILED'
  | 'ERR_OCI_REPACK_FAILED'
  | 'ERR_OCI_USER_NOT_FOUND'
  | 'ERR_OCI_SNAPSHOT_UNSUPPORTED'
  | 'ERR_OCI_SPEC_INVALID'
  | 'ERR_OCI_PLATFORM_UNSUPPORTED';

/** An error of `@ocijs/bundle`. */
export class BundleError extends OciError<BundleErrorCode> {}
