import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isOciError } from '../errors.ts';
import { MediaType } from '../media-types.ts';
import { detectCompression, layerCompression } from './detect.ts';

test('compressions are told by their first bytes', () => {
  assert.equal(detectCompression(gzipSync('a')), 'gzip');
  assert.equal(detectCompression(zstdCompressSync('a')), 'zstd');
  for (let low = 0x50; low <= 0x5f; low++) {
    assert.equal(detectCompression(Buffer.from([low, 0x2a, 0x4d, 0x18])), 'zstd');
  }
});

test('everything else is not compressed', () => {
  for (const bytes of [[], [0x1f], [0x1f, 0x8b], [0x60, 0x2a, 0x4d, 0x18], [0, 0, 0, 0, 0, 0, 0]]) {
    assert.equal(detectCompression(Buffer.from(bytes)), 'none');
  }
});

test('xz and bzip2 are named and refused', () => {
  for (const [name, magic] of [
    ['xz', 'fd377a585a00'],
    ['bzip2', '425a68393141'],
  ]) {
    assert.throws(
      () => detectCompression(Buffer.from(magic ?? '', 'hex')),
      (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_COMPRESSION_UNSUPPORTED'));
        assert.equal(error.facts.actual, name);
        assert.ok(error.hint);
        return true;
      },
    );
  }
});

test('media types of layers promise a compression', () => {
  assert.equal(layerCompression(MediaType.layer), 'none');
  assert.equal(layerCompression(MediaType.layerGzip), 'gzip');
  assert.equal(layerCompression(MediaType.layerZstd), 'zstd');
  assert.equal(layerCompression(MediaType.dockerLayerGzip), 'gzip');
  assert.equal(layerCompression(MediaType.config), undefined);
});
