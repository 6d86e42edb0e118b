import { parseAllDocuments } from 'yaml';
import { MAX_NODE_LOCK_BYTES } from '../../limits.ts';
import { isRecord } from '../project/package-manifest.ts';
import { lockInvalid } from './node-lock.ts';

/** Reads a lock file in YAML: the last document of the file. Lock files have no aliases, which could be a bomb. */
export function parseYaml(bytes: Uint8Array, file: string): Readonly<Record<string, unknown>> {
  if (bytes.length > MAX_NODE_LOCK_BYTES)
    throw lockInvalid(file, `is larger than ${MAX_NODE_LOCK_BYTES} bytes`);
  let document: unknown;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    const documents = parseAllDocuments(text, { schema: 'failsafe', logLevel: 'error', prettyErrors: true });
    const last = Array.isArray(documents) ? documents.at(-1) : undefined;
    const [error] = last?.errors ?? [];
    if (error !== undefined) throw error;
    document = last?.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw lockInvalid(file, 'is no YAML', { cause });
  }
  if (!isRecord(document)) throw lockInvalid(file, 'is no map');
  return document;
}
