import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeImage, temporaryStore } from './images.testkit.ts';
import { push } from './index.ts';
import { type ScriptedFault, scripted, startTestRegistry, type TestRegistry } from './testing/index.ts';

const env = { HOME: '/nonexistent' };
const credentials = { username: 'u', password: 'p' };

async function pushThrough(
  faults: readonly ScriptedFault[],
): Promise<AsyncDisposable & { readonly registry: TestRegistry; readonly pushed: Promise<unknown> }> {
  await using resources = new AsyncDisposableStack();
  const source = resources.use(await temporaryStore());
  const registry = resources.use(await startTestRegistry({ auth: { type: 'bearer', ...credentials } }));
  registry.plan = scripted(faults);
  const top = await makeImage(source.store, { layers: [200_000] });
  const pushed = push(top, `${registry.host}/app:1`, { store: source.store, env, credentials });
  pushed.catch(() => undefined);
  const owned = resources.move();
  return { registry, pushed, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

for (const [what, method, path] of [
  ['opens an upload', 'POST', '/uploads/'],
  ['sends a blob', 'PUT', '/uploads/'],
  ['sends a manifest', 'PUT', '/manifests/'],
] as const) {
  test(`a request that ${what} follows a 307 to another host, without credentials`, async () => {
    const fault = { kind: 'redirect', status: 307 } as const;
    // The other host does not know an upload that it did not open: the second time, all goes well here.
    const times = what === 'sends a blob' ? 1 : 20;
    await using at = await pushThrough([{ method, path, times, fault }]);
    const { registry } = at;
    await at.pushed;
    assert.ok(registry.elsewhere.requests.some((request) => request.method === method));
    assert.ok(registry.elsewhere.requests.every(({ headers }) => headers['authorization'] === undefined));
    assert.notEqual(await registry.store.resolve('app:1'), undefined);
  });
}

test('a status that turns a PUT into a GET is refused', async () => {
  for (const status of [301, 302, 303] as const) {
    const fault = { kind: 'redirect', status } as const;
    await using at = await pushThrough([{ method: 'PUT', path: '/manifests/', times: 20, fault }]);
    await assert.rejects(at.pushed, { code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED' });
    assert.deepEqual(at.registry.elsewhere.requests, []);
  }
});
