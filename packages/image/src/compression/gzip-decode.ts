import { createGunzip } from 'node:zlib';
import { engineFailure, invalidCompression } from './failure.ts';
import { pump } from './pump.ts';
import { requireZeros } from './zero-padding.ts';

/** Inflates all members of a gzip stream; zeros behind the last one are padding, anything else there is an error. */
export async function* decodeGzip(
  source: AsyncIterable<Uint8Array>,
  { chunkSize }: { readonly chunkSize: number },
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* pump(createGunzip({ chunkSize }), {
      source: requireContent(source),
      onRest: (rest) => requireZeros(rest, 'gzip'),
    });
  } catch (error) {
    throw engineFailure('gzip', error);
  }
}

/** The engine takes an empty stream for a complete one. */
async function* requireContent(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let isEmpty = true;
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    isEmpty = false;
    yield chunk;
  }
  if (isEmpty) throw invalidCompression('gzip', 'is empty');
}
