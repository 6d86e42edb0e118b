import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ImageError, isOciError } from '../errors.ts';
import { MediaType } from '../media-types.ts';
import { sharedTestdata } from '../testing/tables.ts';
import { parseImageConfig } from './config.ts';
import { parseManifestOrIndex } from './manifest.ts';

const manifests = sharedTestdata('manifests/containers-image');
const layouts = sharedTestdata('images/layouts');
const skip = (folder: string | undefined): string | false =>
  folder === undefined && 'the shared test data are not on this machine';

/** Documents of the folder that are no manifests of today, and what they are refused with. */
const refused: Readonly<Record<string, string>> = {
  'ii-schema1.json': 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
  'ii-oci1-to-schema1.json': 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
  'm-v2s1.everything.json': 'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
  // The size of its config is -1.
  'ii-schema1-to-schema2.json': 'ERR_OCI_MANIFEST_INVALID',
  // Its made-up digests are not those of its embedded data.
  'im-oci1.index.everything.json': 'ERR_OCI_MANIFEST_INVALID',
  // Its config has an empty digest, its layers are null.
  'im-ociv1nomime.artifact.json': 'ERR_OCI_MANIFEST_INVALID',
};

/** Layouts with a document that is refused, and its place; umoci unpacks none of these either. */
const refusedInLayouts: Readonly<Record<string, string>> = {
  // An index calls a Docker manifest an OCI manifest.
  'ggcr-test_gc_index': '$.mediaType',
  'ggcr-test_index': '$.mediaType',
  // An artifact of release candidates of image-spec 1.1.
  'libs-artifact-index': '$.config',
  // Configurations of test images with almost nothing in them.
  'olareg-testrepo': '$.os',
  'oras-images': '$.rootfs',
};

interface Guess {
  readonly file: string;
  readonly mediaType: string;
}

/** Manifests, indexes and configurations that a layout's index.json leads to, as far as their blobs are there. */
function walkLayout(folder: string, onConfig: () => void): void {
  const read = (digest: string): Buffer | undefined => {
    try {
      return readFileSync(join(folder, 'blobs', ...digest.split(':')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const visit = (raw: Buffer, mediaType: string | undefined): void => {
    const document = parseManifestOrIndex(raw, { mediaType });
    if (document.kind === 'index') {
      for (const { digest, mediaType: type } of document.index.manifests) {
        const blob = read(digest);
        if (blob !== undefined && /manifest|image\.index/.test(type)) visit(blob, type);
      }
      return;
    }
    const { config } = document.manifest;
    const blob = read(config.digest);
    if (
      blob === undefined ||
      !([MediaType.config, MediaType.dockerConfig] as string[]).includes(config.mediaType)
    )
      return;
    assert.ok(parseImageConfig(blob).rootfs.diff_ids.length >= 0);
    onConfig();
  };
  visit(readFileSync(join(folder, 'index.json')), undefined);
}

describe('documents that other tools wrote', () => {
  test('manifests of containers/image', { skip: skip(manifests) }, (context) => {
    const files = readdirSync(manifests ?? '').filter((name) => name.endsWith('.json'));
    for (const file of files) {
      const raw = readFileSync(join(manifests ?? '', file));
      const parse = file.endsWith('-config.json') ? parseImageConfig : parseManifestOrIndex;
      const code = refused[file];
      if (code === undefined) assert.doesNotThrow(() => parse(raw), file);
      else
        assert.throws(
          () => parse(raw),
          (error) => isOciError(error, code),
          file,
        );
    }
    context.diagnostic(`${files.length} documents`);
  });

  test('the media type is found from the bytes alone', { skip: skip(manifests) }, () => {
    const guesses = sharedTestdata('manifests/guess-mediatype.json') ?? '';
    const { cases } = JSON.parse(readFileSync(guesses, 'utf8')) as { readonly cases: readonly Guess[] };
    for (const { file, mediaType } of cases) {
      if (refused[file] !== undefined) continue;
      assert.equal(
        parseManifestOrIndex(readFileSync(join(manifests ?? '', file))).mediaType,
        mediaType,
        file,
      );
    }
  });

  test('image layouts', { skip: skip(layouts) }, (context) => {
    let configs = 0;
    const failures: Record<string, string | undefined> = {};
    for (const name of readdirSync(layouts ?? '')) {
      try {
        walkLayout(join(layouts ?? '', name), () => {
          configs += 1;
        });
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        failures[name] = error.facts.jsonPath;
      }
    }
    assert.deepEqual(failures, refusedInLayouts);
    context.diagnostic(`${configs} configurations`);
    assert.ok(configs > 0);
  });
});
