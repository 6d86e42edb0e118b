import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Digest, digestBytes, MediaType } from '@ocijs/image';
import { startFaultRegistry } from '../../fault-registry.testkit.ts';
import { verify } from '../../index.ts';
import { parseBundle } from '../forms/bundle.ts';
import { plantTagged } from '../signed-image.testkit.ts';
import { type KeylessTrustOptions, keylessTrust } from './keyless-trust.ts';

const file = (name: string): Buffer => readFileSync(new URL(`../testdata/${name}`, import.meta.url));
const options = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, retry: 0 };
const signature = JSON.parse(file('keyless-signature.json').toString()) as {
  payload: string;
  annotations: Record<string, string>;
};
const name = 'cosign-signed/fulcio-rekor-1';
const signedIdentity = { type: 'exactRepository', dockerRepository: `192.168.64.2:5000/${name}` } as const;
const trustedRoot = file('trusted-root.json');
const person = {
  trustedRoot,
  certificateIdentity: 'mitr@redhat.com',
  certificateIssuer: 'https://github.com/login/oauth',
};

/** A real image that somebody signed keyless years ago, in a registry of ours. */
async function verifyReal(
  keyless: KeylessTrustOptions,
  change: (annotations: Record<string, string>) => void = () => undefined,
): Promise<Awaited<ReturnType<typeof verify>>> {
  await using registry = await startFaultRegistry();
  const bytes = file('keyless-manifest.json');
  const digest = digestBytes(bytes);
  const mediaType = MediaType.dockerManifest;
  for (const reference of ['v1', digest])
    registry.manifests.set(`${name}:${reference}`, { bytes, mediaType });
  const annotations = { ...signature.annotations };
  change(annotations);
  const planted = { payload: Buffer.from(signature.payload, 'base64'), annotations };
  plantTagged(registry, { name, digest, signatures: [planted] });
  return await verify(`${registry.host}/${name}:v1`, { ...options, keyless, signedIdentity });
}

const invalid = (message: RegExp) => ({ code: 'ERR_OCI_SIGNATURE_INVALID', message });

describe('keyless signatures', () => {
  test('count for the person that the certificate names', async () => {
    const { signatures } = await verifyReal(person);
    const { certificateIdentity: identity, certificateIssuer: issuer } = person;
    assert.deepEqual(signatures[0]?.signer, { type: 'certificate', identity, issuer });
    assert.ok(await verifyReal({ ...person, certificateIdentity: /.*@redhat\.com/ }));
  });

  test('do not count for anybody else', async () => {
    for (const certificateIdentity of ['other@redhat.com', 'mitr@redhat', /mitr/, /@redhat\.com/])
      await assert.rejects(verifyReal({ ...person, certificateIdentity }), invalid(/certificate is that of/));
    for (const certificateIssuer of ['https://accounts.google.com', /github/])
      await assert.rejects(verifyReal({ ...person, certificateIssuer }), invalid(/on the word of/));
  });

  test('do not count without certificate, log entry, or with those of something else', async () => {
    const bundle = 'dev.sigstore.cosign/bundle';
    const cases: readonly (readonly [RegExp, (annotations: Record<string, string>) => void])[] = [
      [/no certificate/, (a) => delete a['dev.sigstore.cosign/certificate']],
      [/no transparency log/, (a) => delete a[bundle]],
      [
        /not a keyless signature/,
        (a) =>
          Object.assign(a, { [bundle]: a[bundle]?.replace(/"integratedTime":\d/, '"integratedTime":9') }),
      ],
      [
        /not a keyless signature|not base64/,
        (a) => Object.assign(a, { 'dev.cosignproject.cosign/signature': 'AAAA' }),
      ],
    ];
    for (const [message, change] of cases) await assert.rejects(verifyReal(person, change), invalid(message));
  });

  test('need a trusted root that can be read, and that knows the authority', async () => {
    for (const bad of ['{}', '', '[]', '{"mediaType":1}'])
      await assert.rejects(
        verifyReal({ ...person, trustedRoot: bad }).then(() => assert.fail(bad)),
        (error: { code?: string }) =>
          error.code === 'ERR_OCI_SIGNATURE_TRUST_ROOT_INVALID' || error.code === 'ERR_OCI_SIGNATURE_INVALID',
      );
    const root = JSON.parse(trustedRoot.toString());
    const stranger = JSON.stringify({
      ...root,
      certificateAuthorities: root.certificateAuthorities.slice(0, 0),
    });
    await assert.rejects(verifyReal({ ...person, trustedRoot: stranger }), invalid(/trusted root/));
  });

  test('in a bundle are authenticated, and one about the build is no signature of an image', async () => {
    const bundle = parseBundle(file('provenance-bundle.json'));
    const trust = await keylessTrust({ trustedRoot, certificateIdentity: /.*/, certificateIssuer: /.*/ });
    const attached = { form: 'bundle', digest: 'sha256:x' as Digest, bundle } as const;
    const signer = await trust.authenticate(attached);
    assert.equal(signer.type, 'certificate');
    const payload = Buffer.from(bundle.payload);
    payload.writeUInt8((payload.at(-2) ?? 0) ^ 1, payload.length - 2);
    await assert.rejects(
      trust.authenticate({ ...attached, bundle: { ...bundle, payload } }),
      invalid(/two ways/),
    );
    const { parseStatement } = await import('../forms/statement.ts');
    const [subject] = JSON.parse(Buffer.from(bundle.payload).toString()).subject;
    const digest = `sha512:${subject.digest.sha512}` as Digest;
    assert.throws(() => parseStatement(bundle.payload, digest), invalid(/in-toto version 1|something else/));
  });
});
