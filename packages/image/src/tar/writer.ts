import { pack as createPack } from 'tar-stream';
import { invalidTar, quoteName } from './failure.ts';
import { type HeaderPatch, patchHeaders } from './header-patch.ts';
import { EXTENDED_HEADER_LIMIT } from './limits.ts';
import { packBytes, packHeader, packStream, paxPackHeader, sevenDigitFields } from './pack-entry.ts';
import { encodePaxRecords } from './pax-encode.ts';
import { type CompleteEntry, completeEntry, type TarWriterEntry } from './writer-entry.ts';

/** The content of a file: all of it, or a stream of exactly `header.size` bytes. */
export type TarBody = Uint8Array | AsyncIterable<Uint8Array>;

/** Writes one archive, entry after entry. */
export interface TarWriter {
  /** The archive; to be read once, while entries are written. */
  readonly stream: AsyncIterable<Uint8Array>;
  /**
   * Writes one entry and resolves once its bytes are taken. Await it before the next one. Throws
   * ERR_OCI_TAR_INVALID when the header cannot be written faithfully or the body has another size.
   */
  entry(header: TarWriterEntry, body?: TarBody): Promise<void>;
  /** Writes the end marker. */
  finish(): Promise<void>;
  /** Gives up: the stream fails with `reason`. */
  abort(reason: Error): void;
}

const highWaterMark = 256 * 1024;

/**
 * Creates a writer of ustar archives with pax records for what ustar cannot hold: long or non-ASCII names,
 * large ids and sizes, times with a fraction or outside of 1970 to 2038, extended attributes. Equal entries
 * give equal bytes: nothing is taken from the clock or the machine.
 */
export function createTarWriter(): TarWriter {
  const pack = createPack({ highWaterMark });
  const patches: HeaderPatch[] = [];
  // Whoever reads the stream gets the error; without a listener it would end the process before.
  pack.on('error', () => undefined);

  async function writeRecords(entry: CompleteEntry, label: string): Promise<void> {
    const records = encodePaxRecords(entry);
    if (records.length === 0) return;
    if (records.length > EXTENDED_HEADER_LIMIT) {
      throw invalidTar(`tar entry ${quoteName(label)} has more metadata than readers accept`, {
        entry: label,
        limit: EXTENDED_HEADER_LIMIT,
        actual: records.length,
      });
    }
    patches.push({ size: records.length, isPax: true, octalFields: [] });
    await packBytes(pack, { header: paxPackHeader(records.length), bytes: records });
  }

  async function writeEntry(header: TarWriterEntry, body: TarBody): Promise<void> {
    const label = header.name;
    const entry = completeEntry(header, body instanceof Uint8Array ? body.length : undefined);
    if (entry.type !== 'file' && !(body instanceof Uint8Array && body.length === 0)) {
      throw invalidTar(`tar entry ${quoteName(label)} has a body but is not a file`, { entry: label });
    }
    await writeRecords(entry, label);
    patches.push({ size: entry.size, isPax: false, octalFields: sevenDigitFields(entry) });
    if (body instanceof Uint8Array) await packBytes(pack, { header: packHeader(entry), bytes: body });
    else await packStream(pack, { header: packHeader(entry), body, label });
  }

  return {
    stream: patchHeaders(pack, patches),
    entry: (header, body = new Uint8Array()): Promise<void> => writeEntry(header, body),
    async finish(): Promise<void> {
      pack.finalize();
    },
    abort(reason: Error): void {
      pack.destroy(reason);
    },
  };
}
