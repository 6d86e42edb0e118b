import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { parseDigest, parseReference } from '@ocijs/image';
import { temporaryDirectory } from '../../images.testkit.ts';
import { findLookaside, signatureUrl, usesAttachments } from './find-lookaside.ts';
import { loadRegistriesD } from './load-registries-d.ts';
import { parseRegistriesD } from './parse-registries-d.ts';

const env = { HOME: '/home/ann' };
const invalid = { code: 'ERR_OCI_REGISTRY_CONFIG_INVALID', message: /a\.yaml/ };
const placeOf = async (yaml: string, name: string) =>
  findLookaside(await parseRegistriesD(yaml, 'a.yaml'), { reference: parseReference(name), env });

describe('registries.d', () => {
  test('of Red Hat names its server', async () => {
    const yaml =
      'docker:\n     registry.access.redhat.com:\n         sigstore: https://access.redhat.com/webassets/docker/content/sigstore\n';
    const place = await placeOf(yaml, 'registry.access.redhat.com/ubi9/ubi:9.4');
    assert.equal(place.url.href, 'https://access.redhat.com/webassets/docker/content/sigstore/ubi9/ubi');
    const digest = parseDigest(`sha256:${'0a'.repeat(32)}`);
    assert.equal(
      signatureUrl(place, { digest, position: 3 }).href,
      `https://access.redhat.com/webassets/docker/content/sigstore/ubi9/ubi@sha256=${'0a'.repeat(32)}/signature-3`,
    );
  });

  test('as it is installed, of comments alone, names nothing', async () => {
    for (const yaml of [
      '',
      '# default-docker:\n#  lookaside: https://example.com/\n',
      'docker:\n',
      'docker: ~\n',
    ]) {
      const { namedBy, url } = await placeOf(yaml, 'debian');
      assert.equal(namedBy, undefined);
      assert.match(url.href, /^file:\/\/.*\/containers\/sigstore\/library\/debian$/);
    }
  });

  test('names the place of the longest scope that has one', async () => {
    const section = (scope: string, place: string) => `  "${scope}":\n    lookaside: https://${place}\n`;
    const yaml = [
      'default-docker:\n  lookaside: https://default/\n',
      'docker:\n',
      section('example.com/ns/app:v1', 'tag'),
      section('example.com/ns/app', 'repository/'),
      section('example.com/ns', 'namespace/x?a=b'),
      section('example.com', 'host'),
      section('*.example.com', 'wildcard'),
      '  "example.com/empty":\n    lookaside: ""\n',
    ].join('');
    for (const [name, href] of [
      ['example.com/ns/app:v1', 'https://tag/ns/app'],
      ['example.com/ns/app:v2', 'https://repository/ns/app'],
      [`example.com/ns/app@sha256:${'0'.repeat(64)}`, 'https://repository/ns/app'],
      ['example.com/ns/other', 'https://namespace/x/ns/other?a=b'],
      ['example.com/ns2/app', 'https://host/ns2/app'],
      ['example.com/empty/app', 'https://host/empty/app'],
      ['a.example.com/app', 'https://wildcard/app'],
      ['example.com:5000/ns/app', 'https://default/ns/app'],
      ['debian', 'https://default/library/debian'],
    ] as const)
      assert.equal((await placeOf(yaml, name)).url.href, href, name);
  });

  test('prefers the new name of a field to the old one', async () => {
    const yaml =
      'default-docker:\n  sigstore: https://old\n  lookaside: https://new\n  sigstore-staging: file:///s\n';
    assert.equal((await placeOf(yaml, 'debian')).url.href, 'https://new/library/debian');
  });

  test('says whether signatures of sigstore are to be looked for, which they are unless it says no', async () => {
    const uses = async (yaml: string) =>
      usesAttachments(await parseRegistriesD(yaml, 'a.yaml'), parseReference('example.com/ns/app'));
    const at = (scope: string, value: string) => `  ${scope}:\n    use-sigstore-attachments: ${value}\n`;
    assert.equal(await uses(''), true);
    assert.equal(await uses(`docker:\n${at('example.com', 'false')}`), false);
    assert.equal(await uses(`docker:\n${at('example.com', 'no')}${at('example.com/ns', 'yes')}`), true);
    assert.equal(await uses('default-docker:\n  use-sigstore-attachments: off\n'), false);
  });

  for (const [what, yaml] of [
    ['a list', '- docker\n'],
    ['text', 'docker\n'],
    ['a list of scopes', 'docker:\n- example.com\n'],
    ['text for a scope', 'docker:\n  example.com: https://x\n'],
    ['a map for a place', 'default-docker:\n  lookaside:\n    a: b\n'],
    ['a field twice', 'default-docker:\n  lookaside: https://a\n  lookaside: https://b\n'],
    ['a scope twice', 'docker:\n  a.com:\n    lookaside: https://a\n  a.com:\n    lookaside: https://b\n'],
    ['an alias', 'default-docker: &a\n  lookaside: https://a\ndocker:\n  b.com: *a\n'],
    ['a tag of a type', 'default-docker:\n  lookaside: !!binary aGk=\n'],
    ['two documents', 'docker:\n---\ndocker:\n'],
    ['a strange truth value', 'default-docker:\n  use-sigstore-attachments: maybe\n'],
    ['a quote without end', 'default-docker:\n  lookaside: "https://a\n'],
  ] as const)
    test(`with ${what} is refused`, async () => {
      await assert.rejects(placeOf(yaml, 'debian'), invalid);
    });

  for (const place of [
    'https://user:secret@a.com',
    'file://host/path',
    'ftp://a.com/',
    '/a/path',
    'path',
    'https://',
  ])
    test(`with the place ${place} is refused`, async () => {
      await assert.rejects(placeOf(`default-docker:\n  lookaside: ${place}\n`, 'debian'), invalid);
    });
});

describe('the directory registries.d', () => {
  const yaml = 'default-docker:\n  lookaside: https://own.example.com\n';

  test("of the user comes before the system's, all of whose files are read together", async () => {
    await using home = await temporaryDirectory();
    const file = (name: string) => join(home.path, '.config', 'containers', 'registries.d', name);
    await mkdir(dirname(file('a.yaml')), { recursive: true });
    const load = () => loadRegistriesD({ env: { HOME: home.path } });
    assert.equal((await load()).defaultDocker, undefined);
    await writeFile(file('b.yaml'), 'docker:\n  b.com:\n    lookaside: https://b\n');
    await writeFile(file('a.yaml'), yaml);
    await writeFile(file('other.conf'), 'docker: [');
    const { defaultDocker, docker } = await load();
    assert.equal(defaultDocker?.lookaside, 'https://own.example.com');
    assert.deepEqual([...docker.keys()], ['b.com']);
    await writeFile(file('c.yaml'), yaml);
    await assert.rejects(load(), {
      code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
      message: /c\.yaml cannot be read: default-docker is in .*a\.yaml already/,
    });
  });

  test('that is named must be there', async () => {
    const registriesDirectory = '/nonexistent/registries.d';
    await assert.rejects(loadRegistriesD({ registriesDirectory }), {
      code: 'ERR_OCI_REGISTRY_CONFIG_INVALID',
    });
    assert.equal((await loadRegistriesD({ registriesDirectory: false })).docker.size, 0);
  });

  test('with a file that is too large is refused', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'a.yaml'), '#'.repeat(1_048_577));
    await assert.rejects(loadRegistriesD({ registriesDirectory: directory.path }), invalid);
  });
});
