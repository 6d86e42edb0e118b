import { isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import { MAX_NODE_LOCK_BYTES } from '../../limits.ts';
import { isRecord } from '../project/package-manifest.ts';
import { lockInvalid } from './node-lock.ts';

/**
 * Reads a lock file in YAML: the last document of the file, whose values are texts, lists and maps. Managers write neither
 * aliases, which could be a bomb, nor a name twice.
 */
export function parseYaml(bytes: Uint8Array, file: string): Readonly<Record<string, unknown>> {
  if (bytes.length > MAX_NODE_LOCK_BYTES)
    throw lockInvalid(file, `is larger than ${MAX_NODE_LOCK_BYTES} bytes`);
  let document: unknown;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    // The library compares each name with all others to find one that is there twice.
    const documents = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, logLevel: 'error' });
    const last = Array.isArray(documents) ? documents.at(-1) : undefined;
    const [error] = last?.errors ?? [];
    if (error !== undefined) throw error;
    document = plainValue(last?.contents);
  } catch (cause) {
    throw lockInvalid(file, 'is no YAML', { cause });
  }
  if (!isRecord(document)) throw lockInvalid(file, 'is no map');
  return document;
}

function plainValue(node: unknown): unknown {
  if (node === null || node === undefined) return '';
  if (isScalar(node)) return String(node.value ?? '');
  if (isSeq(node)) return node.items.map(plainValue);
  if (!isMap(node)) throw new RangeError('an alias');
  const entries = node.items.map(({ key, value }) => {
    if (!isScalar(key)) throw new RangeError('a name that is no text');
    return [String(key.value ?? ''), plainValue(value)] as const;
  });
  const map = new Map(entries);
  if (map.size < entries.length) throw new RangeError('a name twice');
  return Object.fromEntries(map);
}
