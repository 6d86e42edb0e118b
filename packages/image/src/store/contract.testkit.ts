import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Descriptor } from '../descriptor.ts';
import { digestBytes } from '../digest/hasher.ts';
import type { ContentStore } from './content-store.ts';

/** A store under test, and what ends it. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ContentStore;
}

const mediaType = 'application/octet-stream';

function blobOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' | 'blake3' = 'sha256'): Descriptor {
  return { mediaType, digest: digestBytes(bytes, algorithm), size: bytes.length };
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) assert.ok(chunk.length > 0);
}

const code = (expected: string) => ({ code: expected });

/** What every {@link ContentStore} has to do, whatever it keeps its bytes in. */
export function describeContentStore(name: string, factory: () => Promise<StoreUnderTest>): void {
  const check = (title: string, body: (store: ContentStore) => Promise<void>): void => {
    test(title, async () => {
      await using subject = await factory();
      await body(subject.store);
    });
  };

  describe(`${name} as a content store`, () => {
    check('gives back what was put', async (store) => {
      const bytes = randomBytes(700_000);
      const descriptor = await store.put(bytes, { mediaType });
      assert.deepEqual(descriptor, blobOf(bytes));
      assert.equal(await store.size(descriptor.digest), bytes.length);
      assert.deepEqual(Buffer.from(await store.readAll(descriptor)), bytes);
      assert.deepEqual(await store.put(bytes, { mediaType }), descriptor);
    });

    check('holds an empty blob', async (store) => {
      const descriptor = await store.put(new Uint8Array(), { mediaType });
      assert.equal(await store.size(descriptor.digest), 0);
      assert.equal((await store.readAll(descriptor)).length, 0);
    });

    check('keeps its own copy of what was put', async (store) => {
      const bytes = Buffer.from('original');
      const descriptor = await store.put(bytes, { mediaType });
      bytes.fill(0);
      const read = await store.readAll(descriptor);
      assert.equal(Buffer.from(read).toString(), 'original');
      read.fill(0);
      assert.equal(Buffer.from(await store.readAll(descriptor)).toString(), 'original');
    });

    for (const algorithm of ['sha256', 'sha512', 'blake3'] as const)
      check(`ingests a blob by ${algorithm}`, async (store) => {
        const bytes = randomBytes(100_000);
        const descriptor = blobOf(bytes, algorithm);
        await using ingest = await store.ingest(descriptor);
        for (let start = 0; start < bytes.length; start += 33_333)
          await ingest.write(bytes.subarray(start, start + 33_333));
        assert.equal(await store.size(descriptor.digest), undefined, 'invisible before the commit');
        await ingest.commit();
        assert.equal(await store.size(descriptor.digest), bytes.length);
        assert.deepEqual(Buffer.from(await store.readAll(descriptor)), bytes);
      });

    check('says that it lacks a blob', async (store) => {
      const missing = blobOf(Buffer.from('missing'));
      assert.equal(await store.size(missing.digest), undefined);
      await assert.rejects(store.readAll(missing), code('ERR_OCI_BLOB_NOT_FOUND'));
      await assert.rejects(drain(store.read(missing)), code('ERR_OCI_BLOB_NOT_FOUND'));
    });

    check('does not end a read cleanly when the descriptor lies about the size', async (store) => {
      const descriptor = await store.put(randomBytes(1000), { mediaType });
      for (const size of [999, 1001]) {
        const lie = { ...descriptor, size };
        await assert.rejects(drain(store.read(lie)), code('ERR_OCI_SIZE_MISMATCH'));
        await assert.rejects(store.readAll(lie), code('ERR_OCI_SIZE_MISMATCH'));
      }
    });

    check('reads no more into memory than asked for, 4 MiB when not asked', async (store) => {
      const large = await store.put(Buffer.alloc(4 * 1024 * 1024 + 1), { mediaType });
      await assert.rejects(store.readAll(large), code('ERR_OCI_LIMIT_EXCEEDED'));
      assert.equal((await store.readAll(large, { limit: large.size })).length, large.size);
      await assert.rejects(store.readAll(large, { limit: 10 }), code('ERR_OCI_LIMIT_EXCEEDED'));
    });

    check('drops bytes that are not those of the digest', async (store) => {
      const right = randomBytes(5000);
      const descriptor = blobOf(right);
      {
        await using ingest = await store.ingest(descriptor);
        await ingest.write(randomBytes(5000));
        await assert.rejects(ingest.commit(), code('ERR_OCI_DIGEST_MISMATCH'));
        assert.equal(ingest.offset, 0);
      }
      assert.equal(await store.size(descriptor.digest), undefined);
      await using again = await store.ingest(descriptor);
      assert.equal(again.offset, 0);
      await again.write(right);
      await again.commit();
      assert.deepEqual(Buffer.from(await store.readAll(descriptor)), right);
    });

    check('goes on after a mismatch within one ingest', async (store) => {
      const right = randomBytes(50);
      await using ingest = await store.ingest(blobOf(right));
      await ingest.write(randomBytes(50));
      await assert.rejects(ingest.commit(), code('ERR_OCI_DIGEST_MISMATCH'));
      await ingest.write(right);
      await ingest.commit();
      assert.deepEqual(Buffer.from(await store.readAll(blobOf(right))), right);
    });

    check('refuses more bytes than the descriptor says, and keeps those before', async (store) => {
      const bytes = randomBytes(100);
      await using ingest = await store.ingest(blobOf(bytes));
      await ingest.write(bytes.subarray(0, 60));
      await assert.rejects(ingest.write(bytes.subarray(0, 41)), code('ERR_OCI_SIZE_MISMATCH'));
      assert.equal(ingest.offset, 60);
      await ingest.write(bytes.subarray(60));
      await ingest.commit();
    });

    check('does not commit too few bytes, and keeps them for later', async (store) => {
      const bytes = randomBytes(100);
      {
        await using ingest = await store.ingest(blobOf(bytes));
        await ingest.write(bytes.subarray(0, 60));
        await assert.rejects(ingest.commit(), code('ERR_OCI_SIZE_MISMATCH'));
      }
      await using later = await store.ingest(blobOf(bytes));
      assert.equal(later.offset, 60);
    });

    check('resumes an ingest that ended without a commit', async (store) => {
      const bytes = randomBytes(1_000_000);
      const descriptor = blobOf(bytes);
      {
        await using first = await store.ingest(descriptor);
        assert.equal(first.offset, 0);
        await first.write(bytes.subarray(0, 654_321));
      }
      await using second = await store.ingest(descriptor);
      assert.equal(second.offset, 654_321);
      await second.write(bytes.subarray(654_321));
      await second.commit();
      assert.deepEqual(Buffer.from(await store.readAll(descriptor)), bytes);
    });

    check('forgets on reset what was written', async (store) => {
      const bytes = randomBytes(1000);
      await using ingest = await store.ingest(blobOf(bytes));
      await ingest.write(randomBytes(1000));
      await ingest.reset();
      assert.equal(ingest.offset, 0);
      await ingest.write(bytes);
      await ingest.commit();
      assert.deepEqual(Buffer.from(await store.readAll(blobOf(bytes))), bytes);
    });

    check('has nothing to ingest when the blob is there, and replaces it on reset', async (store) => {
      const bytes = randomBytes(1000);
      const descriptor = await store.put(bytes, { mediaType });
      {
        await using ingest = await store.ingest(descriptor);
        assert.equal(ingest.offset, 1000);
        await ingest.commit();
      }
      await using again = await store.ingest(descriptor);
      await again.reset();
      await again.write(bytes);
      await again.commit();
      assert.deepEqual(Buffer.from(await store.readAll(descriptor)), bytes);
    });

    check('lets one write a blob at a time; who waits finds it there', async (store) => {
      const bytes = randomBytes(10_000);
      const descriptor = blobOf(bytes);
      const offsets: number[] = [];
      const ingestOnce = async (): Promise<void> => {
        await using ingest = await store.ingest(descriptor);
        offsets.push(ingest.offset);
        if (ingest.offset === 0) await ingest.write(bytes);
        await ingest.commit();
      };
      await Promise.all(Array.from({ length: 8 }, ingestOnce));
      assert.deepEqual(
        offsets.toSorted((a, b) => a - b),
        [0, ...Array<number>(7).fill(10_000)],
      );
    });

    check('stops waiting for another writer when aborted', async (store) => {
      const descriptor = blobOf(randomBytes(10));
      await using _writer = await store.ingest(descriptor);
      const controller = new AbortController();
      const waiting = store.ingest(descriptor, { signal: controller.signal });
      setTimeout(() => controller.abort(new Error('enough')), 20);
      await assert.rejects(waiting, { message: 'enough' });
    });

    check('does nothing when aborted before', async (store) => {
      const descriptor = await store.put(Buffer.from('x'), { mediaType });
      const signal = AbortSignal.abort(new Error('no'));
      await assert.rejects(store.readAll(descriptor, { signal }), { message: 'no' });
      await assert.rejects(drain(store.read(descriptor, { signal })), { message: 'no' });
      await assert.rejects(store.ingest(descriptor, { signal }), { message: 'no' });
    });

    check('stops a read when aborted', async (store) => {
      const descriptor = await store.put(randomBytes(2_000_000), { mediaType });
      const controller = new AbortController();
      await assert.rejects(
        async () => {
          for await (const _chunk of store.read(descriptor, { signal: controller.signal }))
            controller.abort(new Error('seen enough'));
        },
        { message: 'seen enough' },
      );
    });

    check('disposes an ingest twice without harm', async (store) => {
      const ingest = await store.ingest(blobOf(randomBytes(10)));
      await ingest[Symbol.asyncDispose]();
      await ingest[Symbol.asyncDispose]();
      await assert.rejects(ingest.write(Buffer.from('x')), TypeError);
    });

    check('refuses a digest that it cannot verify', async (store) => {
      const descriptor = { ...blobOf(Buffer.from('x')), digest: 'crc32:12345678' as Descriptor['digest'] };
      await assert.rejects(store.ingest(descriptor), code('ERR_OCI_DIGEST_UNSUPPORTED'));
    });
  });
}
