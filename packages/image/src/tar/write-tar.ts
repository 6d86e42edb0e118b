import { encodeTarEntry, TAR_END, tarPadding } from './encode-entry.ts';
import { bodyOf } from './entry-body.ts';
import type { TarBody } from './writer.ts';
import type { TarWriterEntry } from './writer-entry.ts';

/** One entry for {@link writeTar}. */
export interface TarWriteEntry {
  readonly header: TarWriterEntry;
  readonly body?: TarBody | undefined;
}

/** Options of {@link writeTar}. */
export interface WriteTarOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes an archive of entries, with the rules of `createTarWriter`. Throws what the entries throw, also
 * ERR_OCI_TAR_INVALID for one that cannot be written, and `signal.reason`; closes the entries when the
 * reader stops early.
 */
export async function* writeTar(
  entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>,
  { signal }: WriteTarOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  for await (const { header, body } of entries) {
    signal?.throwIfAborted();
    const { entry, blocks } = encodeTarEntry(header, body instanceof Uint8Array ? body.length : undefined);
    yield blocks;
    for await (const chunk of bodyOf(entry, { body, label: header.name })) {
      signal?.throwIfAborted();
      yield chunk;
    }
    const padding = tarPadding(entry.size);
    if (padding > 0) yield TAR_END.subarray(0, padding);
  }
  yield TAR_END;
}
