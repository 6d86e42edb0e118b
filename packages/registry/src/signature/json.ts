import { parseJson } from '@ocijs/image';
import { unacceptable } from './failure.ts';

/** A JSON object whose fields were not looked at. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Reads the bytes of a JSON object. Throws ERR_OCI_JSON_INVALID, ERR_OCI_LIMIT_EXCEEDED, ERR_OCI_SIGNATURE_INVALID. */
export function readRecord(
  bytes: Uint8Array,
  { limit, what }: { readonly limit: number; readonly what: string },
): JsonRecord {
  return asRecord(parseJson(bytes, { limit, what }), what);
}

/** The value as an object. */
export function asRecord(value: unknown, what: string): JsonRecord {
  if (isRecord(value)) return value;
  throw unacceptable(`${what} is not an object`);
}

/** True for an object that is no array. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as text. */
export function asText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw unacceptable(`${what} is not a string`);
}

/** Refuses fields that are not known: in what a signature says, an unknown one may matter. */
export function onlyFields(
  record: JsonRecord,
  { known, what }: { readonly known: readonly string[]; readonly what: string },
): void {
  const strange = Object.keys(record).find((name) => !known.includes(name));
  if (strange !== undefined)
    throw unacceptable(`${what} has the unknown field ${JSON.stringify(strange.slice(0, 64))}`);
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes from base64; nothing else is passed over. */
export function asBytes(value: unknown, what: string): Buffer {
  const text = asText(value, what);
  if (!base64.test(text) || text.length % 4 !== 0) throw unacceptable(`${what} is not base64`);
  return Buffer.from(text, 'base64');
}
