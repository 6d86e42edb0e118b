import assert from 'node:assert/strict';
import { digestBytes } from '../digest/hasher.ts';
import { ImageError } from '../errors.ts';
import { parseJson } from '../json/parse.ts';
import { MANIFEST_LIMIT } from '../limits.ts';
import { MediaType } from '../media-types.ts';
import { testTable } from '../testing/tables.ts';
import { parseImageConfig } from './config.ts';
import { parseDescriptor } from './descriptor.ts';
import { parseIndex, parseManifest } from './manifest.ts';

interface DocumentCase {
  readonly kind?: string;
  readonly mediaType?: string;
  readonly digest?: string;
  readonly valid: boolean;
  readonly json: string;
}

function parseBareDescriptor(raw: Uint8Array): unknown {
  return parseDescriptor(parseJson(raw, { limit: MANIFEST_LIMIT, what: 'descriptor' }), '$');
}

const parsers: Readonly<Record<string, ((raw: Uint8Array) => unknown) | undefined>> = {
  config: parseImageConfig,
  descriptor: parseBareDescriptor,
  index: parseIndex,
  manifest: parseManifest,
  [MediaType.config]: parseImageConfig,
  'application/vnd.oci.descriptor.v1+json': parseBareDescriptor,
  [MediaType.index]: parseIndex,
  [MediaType.manifest]: parseManifest,
};

function checkDocument({ kind, mediaType, digest, valid, json }: DocumentCase): void {
  const raw = Buffer.from(json);
  if (digest !== undefined) assert.equal(digestBytes(raw), digest);
  const parse = parsers[kind ?? mediaType ?? ''];
  // The header of a layout is read by the store.
  if (parse === undefined) assert.match(kind ?? mediaType ?? '', /layout/);
  else if (valid) assert.doesNotThrow(() => parse(raw));
  else assert.throws(() => parse(raw), ImageError);
}

testTable<DocumentCase>('image-spec/validation-cases.json', checkDocument);
testTable<DocumentCase>('image-spec/spec-examples.json', checkDocument);
testTable<DocumentCase>('image-spec/docker-compat-cases.json', checkDocument);
