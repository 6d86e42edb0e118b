/** The largest piece of a file that is compressed by itself. */
export const chunkBytes: number = 4 * 1024 * 1024;

/** The bytes of a stream in pieces of `size`; the last one may be shorter, and none is empty. */
export async function* piecesOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + size - length);
      parts.push(part);
      length += part.length;
      start += part.length;
      if (length < size) continue;
      yield joined(parts);
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}
