import { usageError } from '../errors.ts';
import { booleanField, parseFields } from './fields.ts';

const types = ['local', 'tar', 'oci', 'docker', 'oci-layout', 'image', 'registry', 'cacheonly'] as const;
type OutputType = (typeof types)[number];

/** One `--output`: what is written, and where. */
export interface BuildOutput {
  readonly type: OutputType;
  /** `-` is standard output; empty where nothing is written to a place. */
  readonly destination: string;
  /** Names that the image gets here, beside those of `--tag`. */
  readonly names: readonly string[];
  readonly push: boolean;
  /** Push without a tag. */
  readonly byDigest: boolean;
  /** Of the layers; by itself as they are. */
  readonly compression: 'gzip' | 'zstd' | 'none' | undefined;
  /** Docker's media types instead of OCI's. */
  readonly dockerTypes: boolean;
  /** A directory for each platform; by itself if there are several. */
  readonly splitPlatforms: boolean;
  /** Remove what the destination holds beside the files. */
  readonly deleteOthers: boolean;
}

const attributes: Readonly<Record<OutputType, readonly string[]>> = {
  local: ['dest', 'platform-split', 'mode'],
  tar: ['dest', 'platform-split'],
  oci: ['dest', 'name', 'tar', 'compression', 'force-compression', 'oci-mediatypes'],
  docker: ['dest', 'name', 'compression', 'force-compression', 'oci-mediatypes'],
  'oci-layout': ['dest', 'name', 'compression', 'force-compression', 'oci-mediatypes'],
  image: ['name', 'push', 'push-by-digest', 'oci-mediatypes'],
  registry: ['name', 'push', 'push-by-digest', 'oci-mediatypes'],
  cacheonly: [],
};

const compressions: Readonly<Record<string, 'gzip' | 'zstd' | 'none'>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  uncompressed: 'none',
  none: 'none',
};

/** Reads `type=TYPE,dest=PATH,…`; a path alone is a directory for the files, `-` alone an archive of them. Throws ERR_OCI_USAGE. */
export function parseOutput(text: string): BuildOutput {
  const flag = `--output ${text}`;
  const fields = text.includes('=')
    ? parseFields(text, '--output')
    : new Map([
        ['type', text === '-' ? 'tar' : text === 'cacheonly' ? text : 'local'],
        ...(text === 'cacheonly' ? [] : [['dest', text] as const]),
      ]);
  const given = types.find((known) => known === fields.get('type'));
  if (given === undefined) throw usageError(`${flag} has no known type`, `one of ${types.join(', ')}`);
  const unknown = [...fields.keys()].find(
    (name) => !['type', 'rewrite-timestamp', ...attributes[given]].includes(name),
  );
  if (unknown !== undefined)
    throw usageError(`${flag}: ${unknown} is unknown`, `one of ${attributes[given].join(', ') || 'none'}`);
  const flagged = (name: string, fallback: boolean): boolean =>
    booleanField(fields, name, { flag, fallback });
  const type = given === 'oci' && !flagged('tar', true) ? 'oci-layout' : given;
  const destination = fields.get('dest') ?? '';
  const needsPlace = attributes[given].includes('dest');
  if (needsPlace && destination === '') throw usageError(`${flag} has no dest`);
  if (destination === '-' && (type === 'local' || type === 'oci-layout'))
    throw usageError(`${flag}: a directory cannot be standard output`);
  const dockerTypes = !flagged('oci-mediatypes', true);
  if (dockerTypes && !needsPlace)
    throw usageError(
      `${flag}: the store has OCI's media types`,
      'copy the image with `oci copy --format docker`',
    );
  const mode = fields.get('mode') ?? 'copy';
  if (mode !== 'copy' && mode !== 'delete') throw usageError(`${flag}: the mode is copy or delete`);
  return {
    type,
    destination,
    names: (fields.get('name') ?? '').split(',').filter((name) => name !== ''),
    push: type === 'registry' || flagged('push', false),
    byDigest: flagged('push-by-digest', false),
    compression: compressionOf(flag, fields.get('compression')),
    dockerTypes,
    splitPlatforms: flagged('platform-split', true),
    deleteOthers: mode === 'delete',
  };
}

function compressionOf(flag: string, text: string | undefined): BuildOutput['compression'] {
  if (text === undefined) return undefined;
  const found = compressions[text];
  if (found === undefined)
    throw usageError(
      `${flag}: the compression ${text} is unknown`,
      `one of ${Object.keys(compressions).join(', ')}`,
    );
  return found;
}
