import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ImageError } from '../errors.ts';
import { testTable } from '../testing/tables.ts';
import { hostPlatform } from './host.ts';
import { isSamePlatform, matchesPlatform } from './match.ts';
import { normalizePlatform } from './normalize.ts';
import { formatPlatform, parsePlatform } from './parse.ts';

interface PlatformCase {
  readonly kind: 'parse' | 'only' | 'only-strict';
  readonly input?: string;
  readonly error?: boolean;
  readonly expect?: Readonly<Record<string, unknown>>;
  readonly formatted?: string;
  readonly platform?: string;
  readonly matches?: readonly string[];
  readonly rejects?: readonly string[];
}

const goNames: Readonly<Record<string, string>> = {
  OS: 'os',
  Architecture: 'architecture',
  Variant: 'variant',
  OSVersion: 'os.version',
  OSFeatures: 'os.features',
};

testTable<PlatformCase>('tables/platforms-containerd.json', (row) => {
  if (row.kind === 'parse') {
    const { input = '', expect = {}, formatted } = row;
    if (row.error) return assert.throws(() => parsePlatform(input), { code: 'ERR_OCI_PLATFORM_INVALID' });
    const entries = Object.entries(expect).map(([name, value]) => [goNames[name], value]);
    assert.deepEqual(parsePlatform(input), Object.fromEntries(entries));
    assert.equal(formatPlatform(parsePlatform(input)), formatted);
    return;
  }
  const accepts = row.kind === 'only' ? matchesPlatform : isSamePlatform;
  const wanted = parsePlatform(row.platform ?? '');
  for (const candidate of row.matches ?? []) assert.ok(accepts(parsePlatform(candidate), wanted), candidate);
  for (const candidate of row.rejects ?? []) assert.ok(!accepts(parsePlatform(candidate), wanted), candidate);
});

describe('platform', () => {
  for (const [text, canonical] of [
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/X86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/i386', 'linux/386'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64/v8'],
    ['linux/arm64/v9.0', 'linux/arm64/v9'],
    ['linux/armhf', 'linux/arm'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['macos/arm64', 'darwin/arm64'],
    ['windows(10.0.20348)/amd64', 'windows(10.0.20348)/amd64'],
    ['windows(10.0.20348+win32k)/amd64', 'windows(10.0.20348+win32k)/amd64'],
    ['linux(+b+a)/amd64', 'linux(+a+b)/amd64'],
    ['linux(%2Fx)/amd64', 'linux(%2Fx)/amd64'],
    ['linux/riscv64', 'linux/riscv64'],
    ['plan10/z80', 'plan10/z80'],
  ] as const)
    test(`${text} is ${canonical}`, () => {
      assert.equal(formatPlatform(parsePlatform(text)), canonical);
    });

  for (const text of [
    '',
    '/',
    'linux/',
    'linux//v7',
    'linux/*',
    'amiga',
    'a/b/c/d',
    'linux(%zz)/amd64',
    'linux(%ff)/x',
    'linux/amd64\n',
    'x'.repeat(300),
  ])
    test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
      assert.throws(() => parsePlatform(text), { code: 'ERR_OCI_PLATFORM_INVALID' });
    });

  test('one part is completed by this machine', () => {
    const host = hostPlatform();
    assert.equal(parsePlatform('s390x').os, host.os);
    assert.equal(parsePlatform('linux').architecture, host.architecture);
    assert.deepEqual(parsePlatform('armel'), { os: host.os, architecture: 'arm', variant: 'v6' });
  });

  test('this machine has a platform that it runs itself', () => {
    assert.ok(matchesPlatform(hostPlatform(), hostPlatform()));
    assert.deepEqual(parsePlatform(formatPlatform(hostPlatform())), hostPlatform());
  });

  test('equal platforms in different spellings are normalised to one', () => {
    assert.deepEqual(
      normalizePlatform({
        os: 'Linux',
        architecture: 'aarch64',
        variant: 'v8',
        'os.version': '',
        'os.features': [],
      }),
      { os: 'linux', architecture: 'arm64' },
    );
    const features = normalizePlatform({ os: 'linux', architecture: '386', 'os.features': ['b', 'a', 'b'] });
    assert.deepEqual(features['os.features'], ['a', 'b']);
  });

  test('format of parse is stable, and parse throws nothing but ImageError', () => {
    const parts = fc.string({ unit: fc.constantFrom(...'linuxarm64v78.()/+%2Ff_-*A') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), parts), (text) => {
        let platform: ReturnType<typeof parsePlatform>;
        try {
          platform = parsePlatform(text);
        } catch (error) {
          assert.ok(error instanceof ImageError);
          return;
        }
        assert.equal(formatPlatform(parsePlatform(formatPlatform(platform))), formatPlatform(platform));
      }),
      { numRuns: 500 },
    );
  });

  test('parse of format is the identity for every normal platform', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc019_-'), minLength: 1, maxLength: 8 });
    const platforms = fc.record({
      os: word,
      architecture: word,
      variant: word,
      'os.version': fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.isWellFormed()),
    });
    fc.assert(
      fc.property(platforms, (platform) => {
        assert.deepEqual(parsePlatform(formatPlatform(platform)), normalizePlatform(platform));
      }),
    );
  });

  test('a hostile platform cannot write to a terminal', () => {
    const text = formatPlatform({ os: 'li\u001b[2Jnux', architecture: 'a\nb', variant: '\u009b' });
    assert.match(text, /^[!-~]+$/);
  });

  test('features that a candidate needs must be offered, except on Windows when none are named', () => {
    const erofs = parsePlatform('linux(+erofs)/amd64');
    assert.equal(matchesPlatform(erofs, parsePlatform('linux/amd64')), false);
    assert.equal(matchesPlatform(erofs, parsePlatform('linux(+erofs+more)/amd64')), true);
    const win32k = parsePlatform('windows(+win32k)/amd64');
    assert.equal(matchesPlatform(win32k, parsePlatform('windows/amd64')), true);
    assert.equal(matchesPlatform(win32k, parsePlatform('windows(+other)/amd64')), false);
  });

  test('Arm v9 runs v8 to the end of its line', () => {
    const v96 = parsePlatform('linux/arm64/v9.6');
    assert.ok(matchesPlatform(parsePlatform('linux/arm64/v8.9'), v96));
    assert.ok(!matchesPlatform(parsePlatform('linux/arm64/v8.10'), v96));
    assert.ok(!matchesPlatform(parsePlatform('linux/arm64/v8.6'), parsePlatform('linux/arm64/v9')));
  });

  test('Windows builds', () => {
    const runs = (candidate: string, wanted: string): boolean =>
      matchesPlatform(
        parsePlatform(`windows(${candidate})/amd64`),
        parsePlatform(`windows(${wanted})/amd64`),
      );
    assert.ok(runs('10.0.17763.5576', '10.0.17763.1'));
    assert.ok(!runs('10.0.14393', '10.0.17763'));
    assert.ok(runs('10.0.20348', '10.0.26100'));
    assert.ok(!runs('10.0.26100', '10.0.20348'));
    assert.ok(!runs('10.0.17763', '10.0.20348'));
    assert.ok(!runs('6.3.20348', '10.0.20348'));
    assert.ok(!runs('garbage', '10.0.20348'));
  });
});
