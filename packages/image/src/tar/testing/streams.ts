/** A stream of chunks that tells whether it was closed. */
export interface ObservedStream extends AsyncIterable<Uint8Array> {
  readonly isClosed: boolean;
}

/** Streams chunks; with `failure`, fails behind the last one. */
export function observedStream(
  chunks: Iterable<Uint8Array>,
  { failure }: { readonly failure?: Error } = {},
): ObservedStream {
  let isClosed = false;
  async function* iterate(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* chunks;
      if (failure !== undefined) throw failure;
    } finally {
      isClosed = true;
    }
  }
  const iterator = iterate();
  return {
    [Symbol.asyncIterator]: () => iterator,
    get isClosed(): boolean {
      return isClosed;
    },
  };
}

/** Cuts bytes into chunks of one size; the last may be shorter. */
export function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array, void, undefined> {
  for (let position = 0; position < bytes.length; position += size) {
    yield bytes.subarray(position, position + size);
  }
}

/** All bytes of a stream. */
export async function collectBytes(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collectItems(stream));
}

/** All items of a stream. */
export async function collectItems<Item>(stream: AsyncIterable<Item>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
