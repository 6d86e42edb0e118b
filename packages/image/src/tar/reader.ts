import type { TarEntry } from './entry.ts';
import { createTarParser } from './parser.ts';
import { expandSparse } from './sparse-expand.ts';

/** Options of {@link readTar}. */
export interface ReadTarOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An entry and its content. */
export interface TarReadEntry {
  readonly header: TarEntry;
  /** `header.size` bytes, holes of sparse files filled with zeros; readable once, and only until the next entry is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

type TarEvent =
  | { readonly type: 'entry'; readonly header: TarEntry }
  | { readonly type: 'data'; readonly chunk: Buffer }
  | { readonly type: 'end' };

/**
 * Reads the entries of an archive one after the other, with the rules of `createTarParser`. A body that is
 * not read is skipped. The source is read to its end, also behind the end marker, so that a verifying
 * source gets its say, and is closed when the caller stops early.
 *
 * Throws ERR_OCI_TAR_INVALID, ERR_OCI_LIMIT_EXCEEDED, what the source throws, and `signal.reason`.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  { signal }: ReadTarOptions = {},
): AsyncGenerator<TarReadEntry, void, undefined> {
  const events = tarEvents(source, signal);
  try {
    for (let event = await events.next(); !event.done; event = await events.next()) {
      if (event.value.type !== 'entry') continue;
      const { header } = event.value;
      let isCurrent = true;
      async function* segments(): AsyncGenerator<Buffer, void, undefined> {
        while (isCurrent) {
          const next = await events.next();
          if (next.done || next.value.type !== 'data') {
            isCurrent = false;
            return;
          }
          yield next.value.chunk;
        }
        throw new TypeError('the body of a tar entry is read once, and before the next entry');
      }
      yield { header, body: expandSparse(segments(), header) };
      isCurrent = false;
    }
  } finally {
    await events.return();
  }
}

async function* tarEvents(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TarEvent, void, undefined> {
  const events: TarEvent[] = [];
  const parser = createTarParser({
    entry: (header) => events.push({ type: 'entry', header }),
    data: (chunk) => events.push({ type: 'data', chunk }),
    end: () => events.push({ type: 'end' }),
  });
  signal?.throwIfAborted();
  for await (const chunk of source) {
    signal?.throwIfAborted();
    parser.push(chunk);
    yield* events.splice(0);
  }
  parser.finish();
}
