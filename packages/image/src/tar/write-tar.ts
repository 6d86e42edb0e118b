import { createTarWriter, type TarBody, type TarWriter } from './writer.ts';
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
  const writer = createTarWriter();
  const writing = writeAll(writer, { entries, signal }).catch((error: unknown) => {
    writer.abort(error instanceof Error ? error : new Error(String(error)));
    return { error };
  });
  try {
    yield* writer.stream;
  } finally {
    await writing;
  }
  const failed = await writing;
  if (failed !== undefined) throw failed.error;
}

async function writeAll(
  writer: TarWriter,
  {
    entries,
    signal,
  }: {
    readonly entries: Iterable<TarWriteEntry> | AsyncIterable<TarWriteEntry>;
    readonly signal: AbortSignal | undefined;
  },
): Promise<undefined> {
  for await (const { header, body } of entries) {
    signal?.throwIfAborted();
    await writer.entry(header, body);
  }
  await writer.finish();
}
