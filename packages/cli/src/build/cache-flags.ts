import type { CacheExport, CacheFormat } from '@ocijs/build';
import { usageError } from '../errors.ts';
import { booleanField, parseFields } from './fields.ts';

/** Where a cache is. */
export type CachePlace =
  | { readonly type: 'registry'; readonly reference: string }
  | { readonly type: 'local'; readonly directory: string; readonly tag: string };

/** One `--cache-to`. */
export interface CacheTarget extends CacheExport {
  /** `inline`: in the config of the image. */
  readonly place: CachePlace | 'inline';
  /** A failure to write the cache is no failure of the build. */
  readonly ignoresErrors: boolean;
}

const formats: Readonly<Record<string, CacheFormat>> = { gzip: 'gzip', zstd: 'zstd', uncompressed: 'none' };

/** Reads `--cache-from type=registry,ref=NAME` or `type=local,src=DIR[,tag=TAG]`; a name alone is a registry's. Throws ERR_OCI_USAGE. */
export function parseCacheSource(text: string): CachePlace {
  const flag = `--cache-from ${text}`;
  const fields = fieldsOf(text, '--cache-from');
  if (fields.get('type') === 'registry') {
    refuseUnknown(fields, flag, ['ref']);
    return { type: 'registry', reference: required(fields, 'ref', flag) };
  }
  if (fields.get('type') === 'local') {
    refuseUnknown(fields, flag, ['src', 'tag']);
    const directory = required(fields, 'src', flag);
    return { type: 'local', directory, tag: fields.get('tag') ?? 'latest' };
  }
  throw usageError(`${flag} has no known type`, 'registry or local');
}

/** Reads `--cache-to`. Throws ERR_OCI_USAGE. */
export function parseCacheTarget(text: string): CacheTarget {
  const flag = `--cache-to ${text}`;
  const fields = fieldsOf(text, '--cache-to');
  const type = fields.get('type');
  if (type === 'inline') {
    refuseUnknown(fields, flag, []);
    return { place: 'inline', ignoresErrors: false };
  }
  const common = ['mode', 'mounts', 'compression', 'ignore-error', 'image-manifest', 'oci-mediatypes'];
  refuseUnknown(fields, flag, [...common, ...(type === 'local' ? ['dest', 'tag'] : ['ref'])]);
  for (const name of ['image-manifest', 'oci-mediatypes'])
    if (!booleanField(fields, name, { flag, fallback: true }))
      throw usageError(`${flag}: caches are OCI image manifests`, `leave ${name}=false out`);
  const mode = fields.get('mode') ?? 'min';
  if (mode !== 'min' && mode !== 'max') throw usageError(`${flag}: mode is min or max, not ${mode}`);
  const compression = fields.get('compression') ?? 'gzip';
  const format = formats[compression];
  if (format === undefined) throw usageError(`${flag}: compression is one of ${Object.keys(formats)}`);
  const mounts = booleanField(fields, 'mounts', { flag, fallback: false });
  const ignoresErrors = booleanField(fields, 'ignore-error', { flag, fallback: false });
  return { place: placeOf(fields, flag), mode, mounts, format, ignoresErrors };
}

function placeOf(fields: ReadonlyMap<string, string>, flag: string): CachePlace {
  switch (fields.get('type')) {
    case 'registry':
      return { type: 'registry', reference: required(fields, 'ref', flag) };
    case 'local': {
      const directory = required(fields, 'dest', flag);
      return { type: 'local', directory, tag: fields.get('tag') ?? 'latest' };
    }
    default:
      throw usageError(`${flag} has no known type`, 'registry, local or inline');
  }
}

function fieldsOf(text: string, flag: string): ReadonlyMap<string, string> {
  return text.includes('=')
    ? parseFields(text, flag)
    : new Map([
        ['type', 'registry'],
        ['ref', text],
      ]);
}

function required(fields: ReadonlyMap<string, string>, name: string, flag: string): string {
  const value = fields.get(name);
  if (value === undefined || value === '') throw usageError(`${flag} needs ${name}=…`);
  return value;
}

function refuseUnknown(fields: ReadonlyMap<string, string>, flag: string, known: readonly string[]): void {
  const unknown = [...fields.keys()].find((name) => name !== 'type' && !known.includes(name));
  if (unknown !== undefined)
    throw usageError(`${flag}: ${unknown} is unknown`, `one of ${known.join(', ') || 'none'}`);
}
