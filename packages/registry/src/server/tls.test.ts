import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLayout } from '@ocijs/image';
import { makeImage, temporaryStore } from '../images.testkit.ts';
import { pull, push } from '../index.ts';
import { startRegistry } from './index.ts';

const skip = spawnSync('openssl', ['version']).error === undefined ? false : 'openssl is not installed';

test('serves HTTPS, tokens included', { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
  try {
    const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const files = ['-keyout', keyFile, '-out', certificateFile];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const subject = ['-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' });
    const account = { username: 'anna', password: 'secret' };
    await using served = await createLayout(join(directory, 'layout'));
    await using registry = await startRegistry({
      store: served,
      auth: { type: 'bearer', ...account },
      tls: { certificate: await readFile(certificateFile), key: await readFile(keyFile, 'utf8') },
    });
    assert.equal(registry.url, `https://${registry.host}`);
    await using source = await temporaryStore();
    await using target = await temporaryStore();
    const name = `${registry.host}/secure:1`;
    const { digest } = await makeImage(source.store);
    await source.store.tag(name, await makeImage(source.store));
    const options = { env: { HOME: '/nonexistent' }, credentials: account, caFile: certificateFile };
    await push(name, undefined, { store: source.store, ...options });
    assert.equal((await pull(name, { store: target.store, ...options })).report.digest, digest);
    const wrong = { ...options, caFile: undefined, retry: 0 };
    await assert.rejects(pull(name, { store: target.store, ...wrong }), {
      code: 'ERR_OCI_REGISTRY_UNAVAILABLE',
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});
