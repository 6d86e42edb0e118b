import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Descriptor, digestBytes } from '@ocijs/image';
import { listen } from './fault-registry.testkit.ts';
import { temporaryDirectory } from './images.testkit.ts';
import { createSession } from './session.ts';
import { uploadFileChunks } from './upload-file.ts';

const bytes = randomBytes(24 * 1024 * 1024 + 7);
const descriptor: Descriptor = { mediaType: 'a/b', digest: digestBytes(bytes), size: bytes.length };

test('a slow server receives every byte as it is in the file', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'blob');
  await writeFile(path, bytes);
  const digests: string[] = [];
  const receive = async (request: IncomingMessage): Promise<void> => {
    const hash = createHash('sha256');
    let chunks = 0;
    for await (const chunk of request) {
      hash.update(chunk as Buffer);
      // Stops and goes, so that everything between the file and the network fills up.
      if (++chunks % 40 === 0) await pause(5);
    }
    digests.push(`sha256:${hash.digest('hex')}`);
  };
  await using server = await listen((request, response) => {
    void receive(request).then(() => response.writeHead(201).end());
  });
  await using session = createSession(server.host, { env: { HOME: '/nonexistent' } });
  const send = async (): Promise<void> => {
    const response = await session.request({
      method: 'PUT',
      target: '/v2/x',
      headers: { 'content-length': String(bytes.length) },
      body: () => uploadFileChunks(path, { descriptor }),
      what: 'blob',
      accept: [201],
      scopes: [],
    });
    await response.discard();
  };
  await Promise.all([send(), send()]);
  assert.deepEqual(digests, [descriptor.digest, descriptor.digest]);
});

test('a file that is not the blob does not end cleanly', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'blob');
  const read = async (): Promise<void> => {
    for await (const chunk of uploadFileChunks(path, { descriptor })) assert.ok(chunk.length > 0);
  };
  await writeFile(path, Buffer.alloc(bytes.length));
  await assert.rejects(read(), { code: 'ERR_OCI_DIGEST_MISMATCH' });
  await writeFile(path, bytes);
  await truncate(path, 1_000_000);
  await assert.rejects(read(), { code: 'ERR_OCI_SIZE_MISMATCH' });
});
