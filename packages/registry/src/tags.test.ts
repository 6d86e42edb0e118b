import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fault, listen, sendJson, startFaultRegistry } from './fault-registry.testkit.ts';
import { listTags } from './index.ts';

const options = { env: {}, retryDelayMs: 1 };

function pages(link: (page: number) => string | undefined): Fault {
  return ({ path }, response) => {
    const page = Number(new URL(path, 'http://x').searchParams.get('page') ?? 0);
    const next = link(page);
    if (next !== undefined) response.setHeader('link', next);
    sendJson(response, { name: 'a', tags: [`tag${page}`] });
    return true;
  };
}

test('pages are followed to the end', async () => {
  const link = (page: number): string | undefined =>
    page < 2 ? `</v2/a/tags/list?n=1000&page=${page + 1}>; rel="next"` : undefined;
  await using registry = await startFaultRegistry(pages(link));
  assert.deepEqual(await listTags(`${registry.host}/a`, options), ['tag0', 'tag1', 'tag2']);
});

test('a repository without tags has none', async () => {
  await using registry = await startFaultRegistry((_request, response) => {
    sendJson(response, { name: 'a', tags: null });
    return true;
  });
  assert.deepEqual(await listTags(`${registry.host}/a`, options), []);
});

test('a circle of pages is refused', async () => {
  const link = (page: number): string => `</v2/a/tags/list?page=${1 - page}>; rel=next`;
  await using registry = await startFaultRegistry(pages(link));
  await assert.rejects(listTags(`${registry.host}/a`, options), { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
  assert.ok(registry.requests.length < 5);
});

test('endless pages are refused', async () => {
  await using registry = await startFaultRegistry(pages((page) => `<?page=${page + 1}>; rel="next"`));
  await assert.rejects(listTags(`${registry.host}/a`, options), { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
  assert.equal(registry.requests.length, 1_000);
});

test('a page at another host is not asked', async () => {
  let asked = 0;
  await using elsewhere = await listen((_request, response) => {
    asked++;
    sendJson(response, { tags: [] });
  });
  await using registry = await startFaultRegistry(
    pages(() => `<http://${elsewhere.host}/v2/a/tags/list>; rel="next"`),
  );
  await assert.rejects(listTags(`${registry.host}/a`, options), {
    code: 'ERR_OCI_REGISTRY_REDIRECT_REFUSED',
  });
  assert.equal(asked, 0);
});

for (const answer of ['[]x', '{"tags":{}}', '{"tags":[1]}']) {
  test(`${answer} is not a tag list`, async () => {
    await using registry = await startFaultRegistry((_request, response) => {
      response.end(answer);
      return true;
    });
    await assert.rejects(listTags(`${registry.host}/a`, options), { code: 'ERR_OCI_REGISTRY_PROTOCOL' });
  });
}
