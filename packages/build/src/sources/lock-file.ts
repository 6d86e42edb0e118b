import { parseJson } from '@ocijs/image';
import { BuildError } from '../errors.ts';
import { MAX_LOCK_BYTES } from '../limits.ts';
import { type BuildSource, keyOf, sortSources } from './source-record.ts';

/** What is written in front, so that a later form can be told from this one. */
const version = 1;

/** The text of a lock file (`oci.lock`): one source a line, in an order that makes small differences. */
export function formatLock(sources: readonly BuildSource[]): string {
  const lines = sortSources(sources).map((source) => `    ${JSON.stringify(source)}`);
  const list = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`;
  return `{\n  "lockVersion": ${version},\n  "sources": ${list}\n}\n`;
}

/** The lock after a build: what it used is as it was found now, what other targets and platforms use stays. */
export function updateLock(
  locked: readonly BuildSource[],
  used: readonly BuildSource[],
): readonly BuildSource[] {
  return sortSources([...new Map([...locked, ...used].map((source) => [keyOf(source), source])).values()]);
}

/**
 * Reads a lock file.
 *
 * @throws BuildError `ERR_OCI_BUILD_LOCK_INVALID`
 */
export function parseLock(text: string): readonly BuildSource[] {
  let document: unknown;
  try {
    document = parseJson(Buffer.from(text), { limit: MAX_LOCK_BYTES, what: 'the lock file' });
  } catch (cause) {
    throw invalid('is no JSON', cause);
  }
  if (!isRecord(document) || document['lockVersion'] !== version || !Array.isArray(document['sources']))
    throw invalid(`has no lockVersion ${version} and sources`);
  return document['sources'].map((source: unknown, index) => parseSource(source, index));
}

function parseSource(source: unknown, index: number): BuildSource {
  const { type, name, platform, digest } = isRecord(source) ? source : {};
  const isKnown = type === 'image' || type === 'http' || type === 'git';
  const hasPlatform = platform === undefined || typeof platform === 'string';
  const hasDigest = typeof digest === 'string' && /^(?:[a-z0-9]+:)?[0-9a-f]{40,128}$/.test(digest);
  if (!isKnown || typeof name !== 'string' || !hasPlatform || !hasDigest)
    throw invalid(`has no type, name and digest in sources[${index}]`);
  return { type, name, ...(platform === undefined ? {} : { platform }), digest };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(why: string, cause?: unknown): BuildError {
  return new BuildError('ERR_OCI_BUILD_LOCK_INVALID', `the lock file ${why}`, {
    hint: 'remove it, and write it anew with `oci build --lock`',
    ...(cause === undefined ? {} : { cause }),
  });
}
