import { ImageError } from '../errors.ts';
import { scanJson } from './scan.ts';

/** Options of {@link parseJson}. */
export interface ParseJsonOptions {
  /** Bytes that the document may have. */
  readonly limit: number;
  /** What a message calls the document, such as `image manifest`. */
  readonly what: string;
}

const byteOrderMark = '\uFEFF';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function invalid(
  what: string,
  reason: string,
  details: ConstructorParameters<typeof ImageError>[2],
): ImageError {
  return new ImageError('ERR_OCI_JSON_INVALID', `${what} is not valid JSON: ${reason}`, details);
}

function decode(raw: Uint8Array, what: string): string {
  try {
    return utf8.decode(raw);
  } catch (cause) {
    throw invalid(what, 'not UTF-8', { cause });
  }
}

/**
 * Reads JSON from raw bytes as every parser reads it, or not at all (RFC 7493): UTF-8 without byte order mark,
 * no name twice in one object, no half surrogate pairs, at most {@link JSON_DEPTH_LIMIT} levels.
 *
 * Throws ERR_OCI_LIMIT_EXCEEDED when there are more than `limit` bytes, ERR_OCI_JSON_INVALID otherwise.
 */
export function parseJson(raw: Uint8Array, { limit, what }: ParseJsonOptions): unknown {
  if (raw.length > limit)
    throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${what} has ${raw.length} bytes, more than ${limit}`, {
      limit,
      actual: raw.length,
    });
  const text = decode(raw, what);
  if (text.startsWith(byteOrderMark)) throw invalid(what, 'a byte order mark at its beginning', {});
  const fault = scanJson(text);
  if (fault !== undefined) {
    const { reason, ...facts } = fault;
    throw invalid(what, `${reason} at ${facts.jsonPath}`, facts);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw invalid(what, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
