import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Descriptor, digestBytes, type OciEvent } from '@ocijs/image';
import { type Download, downloadBlob } from './download.ts';
import {
  type FaultRegistry,
  type SeenRequest,
  sendError,
  startFaultRegistry,
} from './fault-registry.testkit.ts';
import { type TemporaryStore, temporaryStore } from './images.testkit.ts';
import { pieces } from './limits.ts';
import type { RegistryOptions } from './options.ts';
import { createSession } from './session.ts';

const MiB = 1024 * 1024;
const bytes = randomBytes(45 * MiB + 123);
const descriptor: Descriptor = {
  mediaType: 'application/octet-stream',
  digest: digestBytes(bytes),
  size: bytes.length,
};

/** What a request asks for, and how it is answered. */
interface Asked {
  readonly request: SeenRequest;
  readonly response: ServerResponse;
  /** Undefined when the whole blob is asked for. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  readonly number: number;
}

/** A registry with one large blob, and a store without it. */
interface Scene extends AsyncDisposable {
  readonly registry: FaultRegistry;
  readonly target: TemporaryStore;
  readonly events: OciEvent[];
  /** The range headers of the requests for the blob. */
  readonly ranges: (string | undefined)[];
  /** Most requests that were answered at the same time. */
  most(): number;
  download(options?: RegistryOptions): Promise<Download>;
}

/** Serves ranges as RFC 9110 says. */
function sendRange({ response, range }: Asked, content: Uint8Array = bytes): void {
  if (range === undefined) {
    response.writeHead(200, { 'content-length': content.length }).end(content);
    return;
  }
  const end = Math.min(range.end, content.length);
  response.writeHead(206, {
    'content-length': end - range.start,
    'content-range': `bytes ${range.start}-${end - 1}/${content.length}`,
  });
  response.end(content.subarray(range.start, end));
}

async function scene(answer: (asked: Asked) => void | Promise<void> = sendRange): Promise<Scene> {
  const ranges: (string | undefined)[] = [];
  let now = 0;
  let most = 0;
  const registry = await startFaultRegistry(async (request, response) => {
    if (request.method !== 'GET' || !request.path.includes('/blobs/')) return false;
    const header = request.headers['range'] as string | undefined;
    ranges.push(header);
    const [, start, last] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
    const end = last === undefined || last === '' ? bytes.length : Number(last) + 1;
    const range = start === undefined ? undefined : { start: Number(start), end };
    now++;
    response.once('close', () => now--);
    most = Math.max(most, now);
    await answer({ request, response, range, number: ranges.length });
    return true;
  });
  const target = await temporaryStore();
  const events: OciEvent[] = [];
  return {
    registry,
    target,
    events,
    ranges,
    most: () => most,
    async download(options = {}) {
      const onEvent = (event: OciEvent): void => void events.push(event);
      const settings = { env: { HOME: '/nonexistent' }, retryDelayMs: 1, onEvent, ...options };
      await using session = createSession(registry.host, settings);
      const { signal } = options;
      return downloadBlob(session, { repository: 'image', descriptor, store: target.store, signal });
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

async function assertStored({ target }: Scene): Promise<void> {
  const stored = await target.store.readAll(descriptor, { limit: bytes.length });
  assert.ok(bytes.equals(stored));
}

describe('a large blob', () => {
  test('is fetched in ranges over several connections', async () => {
    // Nobody is answered before several have asked.
    const several = Promise.withResolvers<void>();
    await using at = await scene(async (asked) => {
      if (asked.number === 3) several.resolve();
      if (asked.number > 1) await several.promise;
      sendRange(asked);
    });
    const { status, received } = await at.download();
    assert.deepEqual({ status, received }, { status: 'fetched', received: bytes.length });
    await assertStored(at);
    assert.ok(at.most() > 1 && at.most() <= pieces.lanes, `${at.most()} at once`);
    assert.equal(at.ranges.length, Math.ceil(bytes.length / pieces.size));
    assert.ok(at.ranges.every((range) => /^bytes=\d+-\d+$/.test(range ?? '')));
  });

  test('over no more connections than the concurrency says', async () => {
    await using at = await scene(async (asked) => {
      await nextTurn();
      sendRange(asked);
    });
    await at.download({ concurrency: 1 });
    assert.equal(at.most(), 1);
    await assertStored(at);
  });

  test('from a server that ignores ranges takes the one answer that it gives', async () => {
    await using at = await scene((asked) => sendRange({ ...asked, range: undefined }));
    await at.download();
    await assertStored(at);
    assert.equal(at.ranges.length, 1);
  });

  const lies: Readonly<Record<string, (asked: Asked) => Readonly<Record<string, string | number>>>> = {
    'another start': () => ({ 'content-range': `bytes 1-${pieces.size}/${bytes.length}` }),
    'an end behind what was asked for': () => ({
      'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}`,
    }),
    'no range': () => ({}),
    'several ranges': () => ({ 'content-type': 'multipart/byteranges; boundary=x' }),
    'a length that does not fit': () => ({ 'content-range': `bytes 0-99/${bytes.length}` }),
  };
  for (const [title, headers] of Object.entries(lies))
    test(`from a server that answers 206 with ${title} is fetched whole`, async () => {
      await using at = await scene((asked) => {
        if (asked.range === undefined) sendRange(asked);
        else {
          const length = pieces.size;
          asked.response.writeHead(206, { 'content-length': length, ...headers(asked) });
          asked.response.end(bytes.subarray(5, 5 + length));
        }
      });
      await at.download();
      await assertStored(at);
      assert.equal(at.ranges.length, 2);
      assert.equal(at.ranges[1], undefined);
    });

  for (const status of [400, 405, 416, 501])
    test(`from a server that answers a range with ${status} is fetched whole`, async () => {
      await using at = await scene((asked) => {
        if (asked.range === undefined) sendRange(asked);
        else sendError(asked.response, status, 'UNSUPPORTED');
      });
      await at.download();
      await assertStored(at);
    });

  test('goes on where it is, without ranges, when the server ignores them later', async () => {
    await using at = await scene((asked) =>
      sendRange(asked.number === 3 ? { ...asked, range: undefined } : asked),
    );
    await at.download();
    await assertStored(at);
    assert.match(at.ranges.at(-1) ?? '', /^bytes=\d+-$/);
  });

  test('another size in the range is refused', async () => {
    await using at = await scene((asked) => sendRange(asked, Buffer.concat([bytes, Buffer.from('x')])));
    await assert.rejects(at.download(), { code: 'ERR_OCI_SIZE_MISMATCH' });
  });

  test('with right ranges of wrong bytes is fetched once more, whole', async () => {
    await using at = await scene((asked) =>
      asked.range === undefined
        ? sendRange(asked)
        : sendRange({ ...asked }, Buffer.alloc(bytes.length, asked.range.start)),
    );
    await at.download();
    await assertStored(at);
    assert.equal(at.ranges.at(-1), undefined);
  });

  test('a server that sends less than was asked for is asked for the rest', async () => {
    await using at = await scene(({ range, ...asked }) =>
      sendRange({
        ...asked,
        range: range && { start: range.start, end: Math.min(range.end, range.start + MiB / 2) },
      }),
    );
    await at.download();
    await assertStored(at);
    assert.ok(at.ranges.length > 2 * Math.ceil(bytes.length / pieces.size));
  });

  test('a range whose connection breaks is resumed in the middle', async () => {
    const broken: number[] = [];
    await using at = await scene((asked) => {
      const { number, range, response } = asked;
      if (number !== 2 || range === undefined) return sendRange(asked);
      broken.push(range.start);
      const length = range.end - range.start;
      response.writeHead(206, {
        'content-length': length,
        'content-range': `bytes ${range.start}-${range.end - 1}/${bytes.length}`,
      });
      response.write(bytes.subarray(range.start, range.start + MiB / 2), () => response.destroy());
    });
    const { received } = await at.download();
    await assertStored(at);
    assert.equal(broken.length, 1);
    assert.ok(received <= bytes.length, 'nothing came twice');
    assert.ok(at.events.some(({ type }) => type === 'retry'));
  });

  test('what was written in order stays after an abort, and is not fetched again', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    await using at = await scene((asked) => {
      if (asked.range !== undefined && asked.range.start >= 3 * pieces.size && !controller.signal.aborted)
        // Not answered: everything before is.
        return void setTimeout(() => controller.abort(reason), 200);
      sendRange(asked);
    });
    await assert.rejects(at.download({ signal: controller.signal }), (error) => error === reason);
    at.ranges.length = 0;
    const { status, reused } = await at.download();
    assert.equal(status, 'resumed');
    assert.ok(reused > 0);
    assert.match(at.ranges[0] ?? '', new RegExp(`^bytes=${reused}-`));
    await assertStored(at);
  });

  test('a registry that finds it too much gets fewer requests at once, and is waited for', async () => {
    let refused = 0;
    await using at = await scene((asked) => {
      if (asked.number < 2 || refused >= 2) return sendRange(asked);
      refused++;
      asked.response.writeHead(429, { 'retry-after': '1' }).end();
    });
    const started = performance.now();
    await at.download();
    await assertStored(at);
    assert.ok(performance.now() - started >= 900);
    const slow = at.events.find((event) => event.type === 'slow-down');
    assert.ok(slow?.type === 'slow-down' && slow.delayMs === 1_000 && slow.concurrency < 6);
  });

  test('fails with what the registry says in the end', async () => {
    await using at = await scene((asked) => {
      if (asked.number < 3) sendRange(asked);
      else sendError(asked.response, 500, 'UNKNOWN');
    });
    await assert.rejects(at.download({ retry: 1 }), { code: 'ERR_OCI_REGISTRY_UNAVAILABLE' });
  });
});
