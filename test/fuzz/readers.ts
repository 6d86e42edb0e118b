import assert from 'node:assert/strict';
import { createTarParser, ImageError, isOciError } from '@ocijs/image';
import {
  createEngineGunzip,
  createEngineUnzstd,
  decompress,
  type OutputMemory,
  type SyncDecompressor,
} from '@ocijs/image/compression';
import { createIsalInflater, createZstdDecompressor } from '@ocijs/linux';
import { gzipCorpus, tarCorpus, zstdCorpus } from './corpus.ts';
import type { Randomness } from './mutate.ts';

/** A reader of hostile bytes. */
export interface Reader {
  readonly name: string;
  readonly corpus: readonly Buffer[];
  /** Reads an input to its end or to a coded error, and throws anything else. */
  read(input: Buffer, random: Randomness): Promise<void>;
}

/** No input is larger than this times its size when read, or than this many bytes. */
const outputLimit = 70_000_000;

/** Everything that reads what layers are made of. */
export function readers(): readonly Reader[] {
  const all: Reader[] = [
    { name: 'tar', corpus: tarCorpus(), read: async (input, random) => readTar(input, random) },
    { name: 'gzip', corpus: gzipCorpus(), read: readStream },
    { name: 'zstd', corpus: zstdCorpus(), read: readStream },
  ];
  if (createIsalInflater() !== undefined) {
    all.push({ name: 'gzip through libisal', corpus: gzipCorpus(), read: readByIsal });
  }
  if (createZstdDecompressor() !== undefined) {
    all.push({ name: 'zstd in one thread', corpus: zstdCorpus(), read: readByZstd });
  }
  return all;
}

function coded(effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (!isOciError(error)) throw error;
  }
}

function readTar(input: Buffer, random: Randomness): void {
  let open = false;
  let data = 0;
  const parser = createTarParser({
    entry: ({ name, size, xattrs }) => {
      assert.ok(!open, 'an entry begins in another');
      assert.ok(Number.isSafeInteger(size) && size >= 0 && typeof name === 'string' && xattrs.size >= 0);
      open = true;
    },
    data: (chunk) => {
      assert.ok(open && chunk.length > 0);
      data += chunk.length;
    },
    end: () => {
      assert.ok(open, 'an entry ends that did not begin');
      open = false;
    },
  });
  coded(() => {
    for (let at = 0; at < input.length; ) {
      const length = 1 + random.below(3_000);
      parser.push(input.subarray(at, at + length));
      at += length;
    }
    parser.finish();
  });
  assert.ok(data <= input.length, 'more data than there are bytes');
}

async function readStream(input: Buffer, random: Randomness): Promise<void> {
  await outcome(input, random);
}

/** What comes out, or undefined when it is an error. */
async function outcome(input: Buffer, random: Randomness): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress(pieces(input, random))) {
      size += chunk.length;
      assert.ok(size <= outputLimit);
      parts.push(Buffer.from(chunk));
    }
    return Buffer.concat(parts);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

async function* pieces(input: Buffer, random: Randomness): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; ) {
    const length = 1 + random.below(3_000);
    yield input.subarray(at, at + length);
    at += length;
  }
}

async function readByIsal(input: Buffer, random: Randomness): Promise<void> {
  if (input[0] !== 0x1f || input[1] !== 0x8b || input[2] !== 8) return;
  const engine = createIsalInflater();
  assert.ok(engine);
  await readBoth(input, { random, create: (memory) => createEngineGunzip(engine, { memory }) });
}

async function readByZstd(input: Buffer, random: Randomness): Promise<void> {
  const first = input.length < 4 ? 0 : input.readUInt32LE();
  if (first !== 0xfd2fb528 && (first & 0xfffffff0) >>> 0 !== 0x184d2a50) return;
  const engine = createZstdDecompressor();
  assert.ok(engine);
  await readBoth(input, { random, create: (memory) => createEngineUnzstd(engine, { memory }) });
}

interface SecondReader {
  readonly random: Randomness;
  create(memory: OutputMemory): SyncDecompressor;
}

/** Both engines must agree about what a stream is, and whether it is one. */
async function readBoth(input: Buffer, { random, create }: SecondReader): Promise<void> {
  const room = Buffer.alloc(1 + random.below(5_000));
  const parts: Buffer[] = [];
  const reader = create({
    room: () => room,
    filled: (bytes) => void parts.push(Buffer.from(room.subarray(0, bytes))),
  });
  let ours: Buffer | undefined;
  coded(() => {
    for (let at = 0; at < input.length; ) {
      const length = 1 + random.below(3_000);
      reader.push(input.subarray(at, at + length));
      at += length;
    }
    reader.finish();
    ours = Buffer.concat(parts);
  });
  const theirs = await outcome(input, random);
  assert.equal(ours?.toString('hex'), theirs?.toString('hex'));
}
