import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatReference, isOciError, parseReference } from '@ocijs/image';
import { registryEnvironment } from '../env.ts';
import { temporaryDirectory } from '../images.testkit.ts';
import { readTestdata, testTable } from '../tables.testkit.ts';
import { loadRegistriesConf } from './load.ts';
import { findEntry, matchPrefix, rewriteName } from './match.ts';
import { parseRegistriesConf } from './registries-conf.ts';
import { pullSources } from './sources.ts';

interface MatchRow {
  readonly expected: number;
  readonly prefix: string;
  readonly ref: string;
}

for (const name of ['TestRefMatchingPrefix', 'TestRefMatchingSubdomainPrefix']) {
  testTable<MatchRow>(`registries-conf/${name}.json`, ({ expected, prefix, ref }) => {
    assert.equal(matchPrefix(ref, prefix), expected);
  });
}

interface RewriteRow {
  readonly expected: string;
  readonly inputRef: string;
  readonly location: string;
  readonly prefix: string;
}

testTable<RewriteRow>('registries-conf/TestRewriteReferenceSuccess.json', (row) => {
  const { expected, inputRef, location, prefix } = row;
  const reference = rewriteName(inputRef, { length: matchPrefix(inputRef, prefix), location });
  assert.equal(formatReference(reference), formatReference(parseReference(expected)));
});

test('matches that count by whole components', () => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['docker.io/library/busybox:1', 'docker.io/library', 17],
    ['example.com:5000/a', 'example.com', 11],
    ['example.com/a@sha256:00', 'example.com/a', 13],
    ['a.b.example.com/x', '*.example.com', 15],
    ['a.example.com:5000/x', '*.example.com', 13],
    ['example.com.evil.org/x', '*.example.com', -1],
  ];
  for (const [name, prefix, length] of rows)
    assert.equal(matchPrefix(name, prefix), length, `${name} ${prefix}`);
});

describe('which entry of find-registry.conf fits', () => {
  const { registries: entries } = parseRegistriesConf(
    readTestdata('registries-conf/find-registry.conf'),
    'x',
  );
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['simple-prefix.com/foo/bar:latest', 'simple-prefix.com'],
    ['xyz.simple-prefix.com', '*.simple-prefix.com'],
    ['very.not.quite.simple-prefix.com/foo', '*.not.quite.simple-prefix.com'],
    ['complex-prefix.com:4000/with/path/and/beyond:tag', 'complex-prefix.com:4000/with/path'],
    ['complex-prefix.com:5000/with/path/and/beyond:tag', '*.com'],
    ['no-prefix.com:5000/foo', 'no-prefix.com'],
    ['empty-prefix.com/image', 'empty-prefix.com'],
    ['foo.bar.docker.io/x', '*.bar.docker.io'],
    ['foo.bar.example.com:5000/x', 'foo.bar.example.com:5000'],
    ['unknown.org/x', undefined],
  ];
  for (const [name, prefix] of rows) {
    test(name, () => assert.equal(findEntry(entries, name)?.entry.prefix, prefix));
  }
});

test('mirrors, in order', () => {
  const [first, second] = parseRegistriesConf(readTestdata('registries-conf/mirrors.conf'), 'x').registries;
  assert.deepEqual(first?.mirrors, [
    { location: 'mirror-1.registry.com', insecure: false, pullFrom: 'all' },
    { location: 'mirror-2.registry.com', insecure: true, pullFrom: 'all' },
  ]);
  assert.equal(second?.blocked, true);
});

test('version 1 still blocks', () => {
  const { registries: entries } = parseRegistriesConf(
    readTestdata('registries-conf/v1-compatibility.conf'),
    'x',
  );
  const entry = entries.find(({ prefix }) => prefix === 'registry-b.com');
  assert.deepEqual([entry?.blocked, entry?.insecure], [true, true]);
});

const refused = [
  ...[
    'blocked-conflicts',
    'missing-mirror-location',
    'mixing-v1-v2',
    'v1-invalid-insecure',
    'v1-invalid-search',
  ].map((name) => readTestdata(`registries-conf/${name}.conf`)),
  '[[registry]]\nblocked = true',
  '[[registry]]\nprefix = "example.com"',
  '[[registry]]\nlocation = "https://example.com"',
  '[[registry]]\nlocation = "a.com"\nprefix = "*example.com"',
  '[[registry]]\nlocation = "a.com"\nprefix = "*.example.com/path"',
  '[[registry]]\nlocation = "a.com"\nblocked = "yes"',
  '[[registry]]\nlocation = 5',
  '[[registry]]\nlocation = "a.com"\npull-from-mirror = "all"',
  '[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\nlocation = "m.com"\npull-from-mirror = "some"',
  '[[registry]]\nlocation = "a.com"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.com"\npull-from-mirror = "all"',
  '[registry]\nlocation = "a.com"',
  '[[registry]]\nlocation = "user@a.com"',
  'x = [',
];
for (const text of refused) {
  test(`${JSON.stringify(text.slice(-60))} is refused`, () => {
    assert.throws(
      () => parseRegistriesConf(text, '/etc/r.conf'),
      (error) =>
        isOciError(error, 'ERR_OCI_REGISTRY_CONFIG_INVALID') && error.message.includes('/etc/r.conf'),
    );
  });
}

test('files are read in the order of podman, and drop-ins replace by prefix', async () => {
  await using home = await temporaryDirectory();
  const write = async (name: string, text: string): Promise<string> => {
    await mkdir(join(home.path, name, '..'), { recursive: true });
    await writeFile(join(home.path, name), text);
    return join(home.path, name);
  };
  const find = async (name: string, env: Record<string, string> = {}): Promise<string | undefined> => {
    const environment = registryEnvironment({ HOME: home.path, ...env });
    return findEntry((await loadRegistriesConf(environment, {})).registries, name)?.entry.location;
  };
  await write('.config/containers/registries.conf', readTestdata('registries-conf/find-registry.conf'));
  const name = 'very.not.quite.simple-prefix.com/x';
  assert.equal(await find(name), 'subdomain-prefix-1.com');
  await write(
    '.config/containers/registries.conf.d/1.conf',
    readTestdata('registries-conf/subdomain-override-1.conf'),
  );
  await write('.config/containers/registries.conf.d/2.ignored', 'not toml');
  assert.equal(await find(name), 'subdomain-prefix-1-overridden-by-dropin-location.com');
  const own = await write('own.conf', '[[registry]]\nlocation = "own.org"');
  const env = { CONTAINERS_REGISTRIES_CONF: own };
  assert.equal(await find('own.org/x', env), 'own.org');
  assert.equal(await find('simple-prefix.com/x', env), undefined);
  await assert.rejects(find('x.org/x', { CONTAINERS_REGISTRIES_CONF: join(home.path, 'absent') }), {
    code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
  });
  assert.deepEqual(
    (await loadRegistriesConf(registryEnvironment({ HOME: home.path }), { registriesConf: false }))
      .registries,
    [],
  );
});

test('mirrors for digests and for tags, and nothing of the options that is for the registry itself', async () => {
  await using home = await temporaryDirectory();
  const registriesConf = join(home.path, 'r.conf');
  await writeFile(
    registriesConf,
    `[[registry]]
prefix = "example.com/team"
location = "moved.example.net/new"
[[registry.mirror]]
location = "all.example.org/m"
[[registry.mirror]]
location = "digests.example.org"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example.org"
pull-from-mirror = "tag-only"
insecure = true
`,
  );
  const options = {
    registriesConf,
    credentials: { username: 'u', password: 's3cret' },
    certificateDirectory: '/certs',
    plainHttp: true,
    tlsVerify: false,
    env: { HOME: home.path },
  };
  const names = async (name: string): Promise<string[]> =>
    (await pullSources(parseReference(name), options)).map(({ reference }) => formatReference(reference));
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.deepEqual(await names('example.com/team/app:1'), [
    'all.example.org/m/app:1',
    'tags.example.org/app:1',
    'moved.example.net/new/app:1',
  ]);
  assert.deepEqual(await names(`example.com/team/app@${digest}`), [
    `all.example.org/m/app@${digest}`,
    `digests.example.org/app@${digest}`,
    `moved.example.net/new/app@${digest}`,
  ]);
  assert.deepEqual(await names('example.com/teammate/app:1'), ['example.com/teammate/app:1']);
  const sources = await pullSources(parseReference('example.com/team/app:1'), options);
  for (const { options: own } of sources.slice(0, -1)) {
    const { credentials, certificateDirectory, plainHttp, tlsVerify } = own;
    assert.deepEqual(
      [credentials, certificateDirectory, plainHttp, tlsVerify],
      [undefined, undefined, undefined, undefined],
    );
  }
  assert.deepEqual(
    sources.map(({ insecure }) => insecure),
    [false, true, false],
  );
  assert.equal(sources.at(-1)?.options, options);
});
