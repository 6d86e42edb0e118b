import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { digestBytes } from '../digest/hasher.ts';
import { ImageError, type ImageErrorCode, isOciError } from '../errors.ts';
import { encodeJson } from '../json/encode.ts';
import { MediaType } from '../media-types.ts';
import { parseIndex, parseManifest, parseManifestOrIndex } from './manifest.ts';

const blob = { digest: digestBytes(Buffer.from('x')), size: 1 };
const config = { mediaType: MediaType.config, ...blob };
const layer = { mediaType: MediaType.layerGzip, ...blob };
const entry = { mediaType: MediaType.manifest, ...blob };
const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: MediaType.index, manifests: [entry] };

interface Refusal {
  readonly code?: ImageErrorCode;
  readonly jsonPath?: string;
  readonly hint?: RegExp;
}

function refuses(document: object, { code = 'ERR_OCI_MANIFEST_INVALID', jsonPath, hint }: Refusal): void {
  assert.throws(
    () => parseManifestOrIndex(encodeJson(document)),
    (error) => {
      assert.ok(isOciError(error, code), String(error));
      if (jsonPath !== undefined) assert.equal(error.facts.jsonPath, jsonPath);
      if (hint !== undefined) assert.match(error.hint ?? '', hint);
      return true;
    },
  );
}

describe('manifest and index', () => {
  test('each is read by its own parser', () => {
    assert.deepEqual(parseManifest(encodeJson(manifest)), manifest);
    assert.deepEqual(parseIndex(encodeJson(index)), index);
    assert.throws(() => parseManifest(encodeJson(index)), { code: 'ERR_OCI_MANIFEST_INVALID' });
    assert.throws(() => parseIndex(encodeJson(manifest)), { code: 'ERR_OCI_MANIFEST_INVALID' });
  });

  test('without a media type inside, the source or the fields say what it is', () => {
    const { mediaType: _own, ...bare } = manifest;
    const raw = encodeJson(bare);
    assert.equal(parseManifestOrIndex(raw).mediaType, MediaType.manifest);
    const docker = parseManifestOrIndex(raw, { mediaType: MediaType.dockerManifest });
    assert.equal(docker.mediaType, MediaType.dockerManifest);
    assert.equal(parseManifestOrIndex(encodeJson({ schemaVersion: 2, manifests: [] })).kind, 'index');
  });

  test('a source that calls it something else is not believed', () => {
    for (const mediaType of [MediaType.index, MediaType.dockerManifest])
      assert.throws(
        () => parseManifestOrIndex(encodeJson(manifest), { mediaType }),
        (error) => isOciError(error, 'ERR_OCI_MANIFEST_INVALID') && error.facts.jsonPath === '$.mediaType',
      );
    const { mediaType: _own, ...bare } = manifest;
    assert.throws(() => parseManifestOrIndex(encodeJson(bare), { mediaType: MediaType.index }), {
      code: 'ERR_OCI_MANIFEST_INVALID',
    });
    assert.throws(() => parseManifestOrIndex(encodeJson(bare), { mediaType: 'application/json' }), {
      code: 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    });
  });

  test('a document of two kinds is refused (CVE-2021-41190)', () => {
    refuses({ ...manifest, manifests: [entry] }, { jsonPath: '$.manifests', hint: /CVE-2021-41190/ });
    refuses({ ...manifest, manifests: null }, { jsonPath: '$.manifests' });
    refuses({ ...manifest, fsLayers: [] }, { jsonPath: '$.fsLayers' });
    refuses({ ...index, layers: [layer] }, { jsonPath: '$.layers' });
    refuses({ ...index, config }, { jsonPath: '$.config' });
    const { mediaType: _own, ...bare } = manifest;
    refuses({ ...bare, manifests: [entry] }, { jsonPath: '$.config' });
  });

  test('a field in other letters is refused: Go would read it as the field', () => {
    refuses({ ...manifest, Layers: [] }, { jsonPath: '$.Layers' });
    refuses({ ...index, 'manife\u017fts': [] }, { jsonPath: '$["manife\u017fts"]' });
    refuses({ ...manifest, layers: [{ ...layer, Digest: blob.digest }] }, { jsonPath: '$.layers[0].Digest' });
  });

  test('schema 1 is refused with advice', () => {
    const schema1 = { code: 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED', hint: /schema 1/ } as const;
    refuses({ schemaVersion: 1, fsLayers: [], history: [] }, schema1);
    refuses({ schemaVersion: 1, mediaType: MediaType.dockerManifestSchema1Signed }, schema1);
    refuses({ ...manifest, mediaType: MediaType.dockerManifestSchema1 }, schema1);
  });

  test('other documents are refused', () => {
    refuses({}, {});
    refuses([], {});
    refuses({ schemaVersion: 2 }, {});
    refuses(
      { ...manifest, mediaType: 'application/vnd.oci.artifact.manifest.v1+json' },
      { code: 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED' },
    );
    refuses({ ...manifest, mediaType: '' }, { jsonPath: '$.mediaType' });
    refuses({ ...manifest, mediaType: 7 }, { jsonPath: '$.mediaType' });
  });

  test('Go writes null for what is empty', () => {
    const { annotations, subject } = parseManifest(
      encodeJson({ ...manifest, annotations: null, subject: null }),
    );
    assert.deepEqual([annotations, subject], [undefined, undefined]);
    assert.deepEqual(parseManifest(encodeJson({ ...manifest, layers: null })).layers, []);
    assert.deepEqual(parseIndex(encodeJson({ ...index, manifests: null })).manifests, []);
    refuses({ ...manifest, config: null }, { jsonPath: '$.config' });
    assert.equal(parseManifest(encodeJson({ ...manifest, layers: [] })).layers.length, 0);
  });

  for (const [field, value] of [
    ['schemaVersion', 3],
    ['schemaVersion', '2'],
    ['layers', {}],
    ['annotations', { a: 1 }],
    ['annotations', ['a']],
    ['artifactType', 'none'],
    ['subject', 'none'],
  ] as const)
    test(`${field} ${JSON.stringify(value)} is refused`, () => {
      refuses({ ...manifest, [field]: value }, {});
    });

  test('fields that the specification does not have are kept', () => {
    const extended = { ...manifest, 'x-other': { a: [null] } };
    assert.deepEqual(parseManifest(encodeJson(extended)), extended);
  });

  test('more than 4 MiB are refused', () => {
    const large = { ...manifest, annotations: { a: 'x'.repeat(4 * 1024 * 1024) } };
    refuses(large, { code: 'ERR_OCI_LIMIT_EXCEEDED' });
  });

  test('any change of any value gives a document or an ImageError', () => {
    const raw = Buffer.from(encodeJson({ ...manifest, annotations: { a: 'b' }, subject: entry })).toString();
    const values = [...raw.matchAll(/"[^"]*"|\d+|\[|\{/g)].map(
      ({ index: at, 0: text }) => [at, text.length] as const,
    );
    const replacement = fc.oneof(
      fc.json({ maxDepth: 2 }),
      fc.constantFrom('-1', '1e400', '1.5', '9007199254740993', '""', 'null'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...values), replacement, ([at, length], text) => {
        const changed = Buffer.from(raw.slice(0, at) + text + raw.slice(at + length));
        try {
          const parsed = parseManifestOrIndex(changed);
          assert.deepEqual(
            parseManifestOrIndex(encodeJson(parsed.kind === 'index' ? parsed.index : parsed.manifest)),
            parsed,
          );
        } catch (error) {
          assert.ok(error instanceof ImageError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
