import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import { isOciError } from '../errors.ts';
import { MediaType } from '../media-types.ts';
import { parsePlatform } from './parse.ts';
import { selectPlatform } from './select.ts';

function image(platform?: string, more: Partial<Descriptor> = {}): Descriptor {
  return {
    mediaType: MediaType.manifest,
    digest: digestBytes(Buffer.from(platform ?? 'none')),
    size: 1,
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    ...more,
  };
}

const attestation = image('unknown/unknown');

function selected(available: readonly string[], wanted: string): Descriptor['platform'] {
  return selectPlatform(
    available.map((name) => image(name)),
    parsePlatform(wanted),
  ).platform;
}

describe('platform selection', () => {
  for (const [available, wanted, expected] of [
    [['linux/arm64', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    [['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7', 'linux/arm/v7'],
    [['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v7', 'linux/arm/v6'],
    [['linux/arm/v7', 'linux/arm64/v8'], 'linux/arm64', 'linux/arm64/v8'],
    [['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 'linux/amd64/v3', 'linux/amd64/v2'],
    [['linux/amd64/v2', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    [['linux/386', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
    [['linux/arm64/v8', 'linux/arm64/v8.4', 'linux/arm64/v9'], 'linux/arm64/v9.2', 'linux/arm64/v9'],
    [
      ['windows(10.0.17763.1)/amd64', 'windows(10.0.17763.9)/amd64', 'windows(10.0.14393)/amd64'],
      'windows(10.0.17763.5)/amd64',
      'windows(10.0.17763.9)/amd64',
    ],
    [
      ['windows/amd64', 'windows(10.0.20348)/amd64'],
      'windows(10.0.26100)/amd64',
      'windows(10.0.20348)/amd64',
    ],
  ] as const)
    test(`${wanted} among ${available.join(' ')}`, () => {
      assert.deepEqual(selected(available, wanted), parsePlatform(expected));
      assert.deepEqual(selected([...available].reverse(), wanted), parsePlatform(expected));
    });

  test('of equal images the first in the index is taken', () => {
    const first = image('linux/amd64', { size: 1 });
    const second = image('linux/amd64', { size: 2 });
    assert.equal(selectPlatform([first, second], parsePlatform('linux/amd64')), first);
  });

  test('attestations and unknown media types are never taken', () => {
    const index = [
      attestation,
      image('linux/amd64', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }),
      image('linux/amd64', { mediaType: 'application/xml' }),
      image('linux/amd64', { size: 4 }),
    ];
    assert.equal(selectPlatform(index, parsePlatform('linux/amd64')).size, 4);
  });

  test('one image without a platform is the image, also beside its attestation', () => {
    const only = image();
    assert.equal(selectPlatform([only], parsePlatform('linux/s390x')), only);
    assert.equal(selectPlatform([attestation, only], parsePlatform('linux/s390x')), only);
  });

  test('what is missing is named together with what is there', () => {
    const index = [image('linux/arm/v7'), image('linux/s390x'), attestation];
    assert.throws(
      () => selectPlatform(index, parsePlatform('linux/amd64')),
      (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_PLATFORM_NOT_FOUND'));
        assert.match(error.message, /linux\/amd64/);
        assert.equal(error.hint, 'available: linux/arm/v7, linux/s390x');
        return true;
      },
    );
    for (const none of [[], [attestation], [image(), image()]])
      assert.throws(() => selectPlatform(none, parsePlatform('linux/amd64')), {
        code: 'ERR_OCI_PLATFORM_NOT_FOUND',
      });
  });
});
