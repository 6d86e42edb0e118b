import type { Digest } from '../digest/digest.ts';
import { type ImageErrorCode, isOciError } from '../errors.ts';

/** One thing about an image that is not as the specifications want it. */
export interface Violation {
  /** The document that `jsonPath` leads into: the descriptor of the manifest, an index, the manifest, or the config. */
  readonly document: 'descriptor' | 'index' | 'manifest' | 'config';
  /** Of the manifest or index that it belongs to, where there are several. */
  readonly digest?: Digest;
  /** Such as `$.layers[0].digest`. */
  readonly jsonPath: string;
  readonly code: ImageErrorCode;
  readonly message: string;
}

/** Where a violation belongs. */
export type ViolationPlace = Pick<Violation, 'document' | 'jsonPath'>;

/** The codes that tell something about an image; any other error is a failure to look at it. */
const verdicts: ReadonlySet<string> = new Set<ImageErrorCode>([
  'ERR_OCI_DIGEST_INVALID',
  'ERR_OCI_DIGEST_UNSUPPORTED',
  'ERR_OCI_DIGEST_MISMATCH',
  'ERR_OCI_SIZE_MISMATCH',
  'ERR_OCI_LIMIT_EXCEEDED',
  'ERR_OCI_JSON_INVALID',
  'ERR_OCI_MANIFEST_INVALID',
  'ERR_OCI_CONFIG_INVALID',
  'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
  'ERR_OCI_PLATFORM_INVALID',
  'ERR_OCI_TAR_INVALID',
  'ERR_OCI_COMPRESSION_INVALID',
  'ERR_OCI_COMPRESSION_UNSUPPORTED',
  'ERR_OCI_BLOB_NOT_FOUND',
]);

/** The violation that an error stands for; throws the error when it says nothing about the image. */
export function violationOf(error: unknown, { document, jsonPath }: ViolationPlace): Violation {
  if (!isOciError(error) || !verdicts.has(error.code)) throw error;
  return {
    document,
    jsonPath: error.facts.jsonPath ?? jsonPath,
    code: error.code as ImageErrorCode,
    message: error.message,
  };
}
