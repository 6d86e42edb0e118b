import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isOciError } from '../errors.ts';
import { parseAnyDigest } from './digest.ts';
import { digestBytes } from './hasher.ts';
import { createVerifier, verifiedStream, verifyBytes } from './verify.ts';

const content = Buffer.from('the quick brown fox jumps over the lazy dog');
const expected = { digest: digestBytes(content), size: content.length };

/** A source of prepared chunks that records how it was read. */
function source(
  chunks: readonly Uint8Array[],
): AsyncIterable<Uint8Array> & { pulled: number; returned: number } {
  const state = {
    pulled: 0,
    returned: 0,
    [Symbol.asyncIterator]: (): AsyncIterator<Uint8Array> => ({
      next: async () => {
        const value = chunks[state.pulled];
        state.pulled += 1;
        return value === undefined ? { done: true, value } : { done: false, value };
      },
      return: async () => {
        state.returned += 1;
        return { done: true, value: undefined };
      },
    }),
  };
  return state;
}

async function readAll(
  stream: AsyncIterable<Uint8Array>,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    onChunk?.(chunk);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

describe('verified stream', () => {
  test('right content passes unchanged however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40 })), async (chunks) => {
        const bytes = Buffer.concat(chunks);
        const stream = verifiedStream(source(chunks), { digest: digestBytes(bytes), size: bytes.length });
        assert.deepEqual(await readAll(stream), bytes);
      }),
      { numRuns: 50 },
    );
  });

  test('no damage ends cleanly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(content.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const damaged = Buffer.from(content);
        damaged[at] = (damaged[at] ?? 0) ^ mask;
        await assert.rejects(readAll(verifiedStream(source([damaged]), expected)), {
          code: 'ERR_OCI_DIGEST_MISMATCH',
        });
      }),
      { numRuns: 50 },
    );
  });

  test('a source that is too long fails at once, before the surplus is seen, and is closed', async () => {
    const endless = source([content, Buffer.from('x'), Buffer.from('y'), Buffer.from('z')]);
    let seen = 0;
    await assert.rejects(
      readAll(verifiedStream(endless, expected), (chunk) => {
        seen += chunk.length;
      }),
      (error) => isOciError(error, 'ERR_OCI_SIZE_MISMATCH') && error.facts.expected === content.length,
    );
    assert.equal(seen, content.length);
    assert.equal(endless.pulled, 2);
    assert.equal(endless.returned, 1);
  });

  test('a source that is too short fails at its end', async () => {
    const short = source([content.subarray(0, 10)]);
    await assert.rejects(
      readAll(verifiedStream(short, expected)),
      (error) => isOciError(error, 'ERR_OCI_SIZE_MISMATCH') && error.facts.actual === 10,
    );
  });

  test('a reader that stops early closes the source', async () => {
    const chunks = source([content.subarray(0, 10), content.subarray(10)]);
    for await (const _chunk of verifiedStream(chunks, expected)) break;
    assert.equal(chunks.returned, 1);
  });

  test('an aborted signal is noticed before the source is touched', async () => {
    const untouched = source([content]);
    const stream = verifiedStream(untouched, { ...expected, signal: AbortSignal.abort(new Error('stop')) });
    await assert.rejects(readAll(stream), { message: 'stop' });
    assert.equal(untouched.pulled, 0);
  });

  test('an abort ends a read of a silent source and closes it', async () => {
    const controller = new AbortController();
    let returned = 0;
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => setImmediate(() => controller.abort(new Error('enough')))),
        return: () => {
          returned += 1;
          return new Promise(() => undefined);
        },
      }),
    };
    await assert.rejects(readAll(verifiedStream(silent, { ...expected, signal: controller.signal })), {
      message: 'enough',
    });
    assert.equal(returned, 1);
  });

  test('an abort between two chunks ends the stream', async () => {
    const controller = new AbortController();
    const chunks = source([content.subarray(0, 10), content.subarray(10)]);
    const stream = verifiedStream(chunks, { ...expected, signal: controller.signal });
    await assert.rejects(
      readAll(stream, () => controller.abort(new Error('between'))),
      { message: 'between' },
    );
    assert.equal(chunks.pulled, 1);
    assert.equal(chunks.returned, 1);
  });

  test('an error of the source passes through, and the signal keeps no listener', async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...all: Parameters<typeof add>) => {
      listeners += 1;
      add(...all);
    };
    signal.removeEventListener = (...all: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...all);
    };
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield content.subarray(0, 3);
      throw new Error('connection reset');
    }
    await assert.rejects(readAll(verifiedStream(failing(), { ...expected, signal })), {
      message: 'connection reset',
    });
    assert.equal(listeners, 0);
  });

  test('an unregistered algorithm is refused before the source is touched', async () => {
    const untouched = source([content]);
    const stream = verifiedStream(untouched, { digest: parseAnyDigest('sha384:abc'), size: 3 });
    await assert.rejects(readAll(stream), { code: 'ERR_OCI_DIGEST_UNSUPPORTED' });
    assert.equal(untouched.pulled, 0);
  });
});

describe('verifier', () => {
  test('counts, and fails on the chunk that is too much', () => {
    const verifier = createVerifier(expected);
    verifier.update(content.subarray(0, 20));
    assert.equal(verifier.received, 20);
    assert.throws(() => verifier.update(content), { code: 'ERR_OCI_SIZE_MISMATCH' });
  });

  test('a size that is not a number accepts nothing', () => {
    const verifier = createVerifier({ ...expected, size: Number.NaN });
    assert.throws(() => verifier.update(content), { code: 'ERR_OCI_SIZE_MISMATCH' });
  });

  test('the empty content is content', () => {
    createVerifier({ digest: digestBytes(new Uint8Array()), size: 0 }).finish();
  });

  test('bytes in memory are checked the same way', () => {
    verifyBytes(content, expected);
    assert.throws(() => verifyBytes(content.subarray(1), expected), { code: 'ERR_OCI_SIZE_MISMATCH' });
    assert.throws(() => verifyBytes(Buffer.alloc(content.length), expected), {
      code: 'ERR_OCI_DIGEST_MISMATCH',
    });
    const blake3 = { digest: digestBytes(content, 'blake3'), size: content.length };
    verifyBytes(content, blake3);
  });
});
