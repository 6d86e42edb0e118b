import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage, findReferrers, validateImage } from '@ocijs/image';
import { scene } from '../testing/scene.ts';
import { provenanceStatement } from './provenance.ts';
import { writeAttestation } from './write-attestation.ts';

test('provenance tells what an image was made from, and nothing that is secret', async () => {
  await using at = await scene({ a: 'a' });
  await at.build('FROM scratch\nCOPY a /a', { names: ['docker.io/library/base:1'] });
  const dockerfile = 'FROM docker.io/library/base:1\nARG V\nCOPY a /b';
  const options = {
    store: at.store,
    context: at.context,
    dockerfile,
    names: ['docker.io/library/app:2', 'r.example/app:2'],
    arguments: new Map([['V', 'value of v']]),
    secrets: new Map([['token', Buffer.from('hunter2')]]),
    target: '0',
  };
  const result = await at.build(dockerfile, options);
  const max = provenanceStatement(options, result, { mode: 'max', builderId: 'https://ci.example/1' });
  const platform = encodeURIComponent(`linux/${result.image.platform.architecture}`);
  assert.deepEqual(
    max.subject.map(({ name }) => name),
    [`pkg:docker/app@2?platform=${platform}`, `pkg:docker/r.example/app@2?platform=${platform}`],
  );
  const [source] = result.sources;
  const { buildDefinition, runDetails } = max.predicate as {
    buildDefinition: { externalParameters: { request: object }; resolvedDependencies: readonly object[] };
    runDetails: { builder: object };
  };
  assert.deepEqual(buildDefinition.resolvedDependencies, [
    {
      uri: `pkg:docker/base@1?platform=${platform}`,
      digest: { sha256: source?.digest.slice('sha256:'.length) },
    },
  ]);
  assert.deepEqual(buildDefinition.externalParameters.request, {
    frontend: 'dockerfile.v0',
    args: { target: '0', 'build-arg:V': 'value of v' },
    secrets: [{ id: 'token' }],
    locals: [{ name: 'context' }],
  });
  assert.deepEqual(runDetails.builder, { id: 'https://ci.example/1' });
  const min = JSON.stringify(provenanceStatement(options, result, { mode: 'min' }));
  for (const hidden of ['value of v', 'token', Buffer.from(dockerfile).toString('base64')])
    assert.ok(!min.includes(hidden), hidden);
  assert.ok(!JSON.stringify(max).includes('hunter2'));
});

test('an attestation refers to the image, which stays as it is; it stays as long as the image does', async () => {
  await using at = await scene({ a: 'a' });
  const options = { store: at.store, dockerfile: 'FROM scratch\nCOPY a /a', names: ['app'] };
  const result = await at.build(options.dockerfile, options);
  const statement = provenanceStatement(options, result, { mode: 'min' });
  const written = await writeAttestation(at.store, { subject: result.descriptor, statement });
  assert.deepEqual(await writeAttestation(at.store, { subject: result.descriptor, statement }), written);
  await collectGarbage(at.store, { graceMs: 0 });
  const referrers = await findReferrers(at.store);
  assert.deepEqual(referrers.get(result.descriptor.digest), [written]);
  assert.deepEqual((await at.build(options.dockerfile)).descriptor, result.descriptor);
  assert.deepEqual(await validateImage(result.image), []);
});
