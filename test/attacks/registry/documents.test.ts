import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError, MediaType } from '@ocijs/image';
import { listTags, pull } from '@ocijs/registry';
import {
  document,
  flood,
  type HostileWorld,
  hostileWorld,
  manifestOf,
  sendError,
  sendManifest,
} from './hostile-registry.ts';

const zeros = `sha256:${'0'.repeat(64)}`;
const config = { mediaType: MediaType.config, digest: zeros, size: 2 };
const layer = { mediaType: MediaType.layerGzip, digest: zeros, size: 2 };
const name = 'registry.example/team/app:1';

/** A registry that sends one document as every manifest, and nothing else. */
function serving(text: string | Uint8Array, mediaType?: string): Promise<HostileWorld> {
  const sent = document(text, mediaType);
  return hostileWorld(({ path }, response) =>
    path.includes('/manifests/') ? sendManifest(response, sent) : sendError(response, 404),
  );
}

async function refusal(at: HostileWorld): Promise<string> {
  const error = await pull(name, { ...at.options, store: at.store }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isOciError(error), String(error));
  assert.deepEqual(await at.store.entries(), []);
  assert.ok(!at.requests.some(({ path }) => path.includes('/blobs/')), 'nothing is fetched for it');
  return error.code;
}

describe('attack 16: a manifest that is an index, too (CVE-2021-41190)', () => {
  const both = { schemaVersion: 2, config, layers: [layer], manifests: [] };
  const rows: readonly (readonly [string, string, string])[] = [
    ['fields of both', JSON.stringify(both), MediaType.manifest],
    ['an index with layers', JSON.stringify({ ...both, mediaType: MediaType.index }), MediaType.index],
    ['another type in the document than in the header', manifestOf(config, [layer]), MediaType.index],
    ['a name of another case', `${manifestOf(config, []).slice(0, -1)},"Layers":[]}`, MediaType.manifest],
  ];
  for (const [what, text, mediaType] of rows) {
    test(what, async () => {
      await using at = await serving(text, mediaType);
      assert.match(await refusal(at), /^ERR_OCI_(MANIFEST|JSON)_INVALID$/);
    });
  }
});

describe('attack 17: JSON that parsers read differently', () => {
  const text = manifestOf(config, [layer]);
  const rows: readonly (readonly [string, string | Uint8Array])[] = [
    ['a name twice', text.replace('"layers":', '"layers":[],"layers":')],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0x7d])])],
    ['a byte order mark', `\uFEFF${text}`],
    ['a size that loses digits', text.replace('"size":2', '"size":9007199254740993')],
    ['a negative size', text.replace('"size":2', '"size":-2')],
    ['nesting without end', `{"schemaVersion":2,"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
  ];
  for (const [what, json] of rows) {
    test(what, async () => {
      await using at = await serving(json);
      assert.match(await refusal(at), /^ERR_OCI_(MANIFEST|JSON)_INVALID$/);
    });
  }
});

describe('attack 18: bodies without end (CVE-2020-1702)', () => {
  const bound = 64 * 1024 * 1024;

  test('of a manifest, though its length was said to be small', async () => {
    const sent = { bytes: 0 };
    await using at = await hostileWorld(({ method }, response) => {
      response.writeHead(200, { 'content-type': MediaType.manifest });
      if (method === 'HEAD') response.end();
      else flood(response, sent);
    });
    assert.equal(await refusal(at), 'ERR_OCI_LIMIT_EXCEEDED');
    assert.ok(sent.bytes < bound, `${sent.bytes} bytes were taken`);
  });

  test('of an error', async () => {
    const sent = { bytes: 0 };
    await using at = await hostileWorld((_request, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      flood(response, sent);
    });
    await assert.rejects(listTags('registry.example/team/app', at.options), {
      code: 'ERR_OCI_REGISTRY_DENIED',
    });
    assert.ok(sent.bytes < bound, `${sent.bytes} bytes were taken`);
  });

  test('of a token', async () => {
    const sent = { bytes: 0 };
    await using at = await hostileWorld(({ host }, response) => {
      if (host.startsWith('auth.')) {
        response.writeHead(200, { 'content-type': 'application/json' });
        flood(response, sent);
      } else response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://auth.example/t"' }).end();
    });
    assert.equal(await refusal(at), 'ERR_OCI_LIMIT_EXCEEDED');
    assert.ok(sent.bytes < bound, `${sent.bytes} bytes were taken`);
  });

  test('of a config', async () => {
    await using at = await serving(manifestOf({ ...config, size: 2 ** 40 }, [layer]));
    assert.equal(await refusal(at), 'ERR_OCI_LIMIT_EXCEEDED');
  });
});

describe('attack 19: a digest that is a path (CVE-2024-3727)', () => {
  for (const digest of [
    'sha256:../../../../etc/passwd',
    `sha256:${'0'.repeat(63)}/`,
    'sha256:',
    '../x',
    'sha256:%2e%2e',
  ]) {
    test(`of a layer: ${digest.slice(0, 30)}`, async () => {
      await using at = await serving(manifestOf(config, [{ ...layer, digest }]));
      assert.equal(await refusal(at), 'ERR_OCI_MANIFEST_INVALID');
    });
  }

  test('in the header of an answer', async () => {
    const sent = document('{"schemaVersion":2}');
    await using at = await hostileWorld((_request, response) =>
      sendManifest(response, { ...sent, digest: 'sha256:../../x' as typeof sent.digest }),
    );
    await refusal(at);
    assert.ok(at.requests.every(({ path }) => !path.includes('..')));
  });
});
