import { hasValidChecksum } from './checksum.ts';
import { doubtsOfEntry, doubtsOfPax } from './doubts.ts';
import type { TarEntry, TarEntryDraft } from './entry.ts';
import { applyExtensions, setName } from './extensions.ts';
import { invalidTar, quoteName, tarLimitExceeded } from './failure.ts';
import { checkSize, decodeHeader, entryType, headerFormat } from './header.ts';
import { EXTENDED_HEADER_LIMIT } from './limits.ts';
import { parseDecimal } from './numeric.ts';
import { type PaxRecords, parsePaxRecords } from './pax.ts';
import {
  checkSegments,
  createGnuSparseDecoder,
  createPaxSparseDecoder,
  gnuRealSize,
  paxRecordSegments,
  paxSparseFormat,
  type SparseMapDecoder,
} from './sparse.ts';
import { decodeText } from './text.ts';

/** What receives an archive: for each entry one `entry`, then its data in any number of chunks, then one `end`. */
export interface TarHandler {
  entry(header: TarEntry): void;
  /**
   * A view on what was pushed, not a copy; never empty. Of a sparse file only the real data comes, one
   * segment after the other without the holes: place it by `header.sparse`.
   */
  data(chunk: Buffer): void;
  end(): void;
  /**
   * Hears why other readers may see something else than this one: contradictions between headers, and content behind
   * the end marker. Completes "the archive can be read in two ways: ".
   */
  doubt?(reason: string): void;
}

/** A synchronous parser that archives are pushed into. */
export interface TarParser {
  /** Parses the next bytes of the archive; calls the handler before it returns. */
  push(chunk: Uint8Array): void;
  /** Throws ERR_OCI_TAR_INVALID when the archive was cut off. */
  finish(): void;
  /** True once the end marker was seen; whatever is pushed from then on is ignored. */
  readonly ended: boolean;
}

type Phase = 'header' | 'extended' | 'gnu-sparse' | 'pax-sparse' | 'data' | 'padding' | 'ended';
type ExtendedKind = 'pax' | 'global' | 'long-name' | 'long-link';

const blockSize = 512;

/**
 * Creates a parser for v7, ustar, pax, GNU and star archives that reads as Go's archive/tar does, so that
 * everyone who looks at a layer sees the same files. The archive ends at two blocks of zeros or where its
 * bytes end between two entries; bytes behind the end marker are ignored. Sizes of entries that are not
 * files are ignored, global pax headers are checked and then ignored. Where Go's answer is an entry that
 * cannot be created (a type that nobody unpacks, a negative id), the parser refuses.
 *
 * Throws ERR_OCI_TAR_INVALID for a malformed or truncated archive, ERR_OCI_LIMIT_EXCEEDED for extended
 * headers and sparse maps above the limits, and whatever the handler throws; it is of no use afterwards.
 */
export function createTarParser(handler: TarHandler): TarParser {
  const partialBlock: Buffer = Buffer.alloc(blockSize);
  let partialBytes = 0;
  let phase: Phase = 'header';
  let failure: unknown;
  /** Bytes of the archive in front of the current chunk. */
  let chunkOffset = 0;
  /** Bytes left of the data, extended header or padding that is being read. */
  let remaining = 0;
  let padding = 0;
  let sawZeroBlock = false;
  let hasContentBehind = false;

  let extended: Buffer = partialBlock;
  let extendedKind: ExtendedKind = 'pax';
  let pax: PaxRecords | undefined;
  let gnuName: Buffer | undefined;
  let gnuLinkname: Buffer | undefined;

  let pending: TarEntryDraft | undefined;
  let sparseMap: SparseMapDecoder | undefined;

  function push(chunk: Uint8Array): void {
    if (failure !== undefined) throw failure;
    const bytes = Buffer.isBuffer(chunk)
      ? chunk
      : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    try {
      consume(bytes);
    } catch (error) {
      failure = error;
      throw error;
    }
    chunkOffset += bytes.length;
  }

  function consume(bytes: Buffer): void {
    let position = 0;
    while (position < bytes.length && phase !== 'ended') {
      switch (phase) {
        case 'data':
          position += takeData(bytes, position);
          break;
        case 'padding':
          position += skipPadding(bytes.length - position);
          break;
        case 'extended':
          position += takeExtended(bytes, position);
          break;
        default:
          position += takeBlock(bytes, position);
      }
    }
    if (phase === 'ended') lookBehindEnd(bytes, position);
  }

  /** Readers that go on at the end marker, as `tar -i` does, would see what is there. */
  function lookBehindEnd(bytes: Buffer, position: number): void {
    if (handler.doubt === undefined || hasContentBehind) return;
    hasContentBehind = bytes.subarray(position).some((byte) => byte !== 0);
    if (hasContentBehind) handler.doubt('something follows its end marker');
  }

  function takeData(bytes: Buffer, position: number): number {
    const length = Math.min(remaining, bytes.length - position);
    handler.data(length === bytes.length ? bytes : bytes.subarray(position, position + length));
    remaining -= length;
    if (remaining === 0) endData();
    return length;
  }

  function endData(): void {
    handler.end();
    startPadding();
  }

  function startPadding(): void {
    remaining = padding;
    phase = padding === 0 ? 'header' : 'padding';
  }

  function skipPadding(available: number): number {
    const length = Math.min(remaining, available);
    remaining -= length;
    if (remaining === 0) phase = 'header';
    return length;
  }

  function takeExtended(bytes: Buffer, position: number): number {
    const length = Math.min(remaining, bytes.length - position);
    bytes.copy(extended, extended.length - remaining, position, position + length);
    remaining -= length;
    if (remaining === 0) endExtended();
    return length;
  }

  function takeBlock(bytes: Buffer, position: number): number {
    const available = bytes.length - position;
    if (partialBytes === 0 && available >= blockSize) {
      handleBlock(bytes.subarray(position, position + blockSize), chunkOffset + position);
      return blockSize;
    }
    const length = Math.min(blockSize - partialBytes, available);
    bytes.copy(partialBlock, partialBytes, position, position + length);
    partialBytes += length;
    if (partialBytes === blockSize) {
      partialBytes = 0;
      handleBlock(partialBlock, chunkOffset + position + length - blockSize);
    }
    return length;
  }

  function handleBlock(block: Buffer, offset: number): void {
    if (phase === 'gnu-sparse') {
      if (sparseMap?.push(block)) startSparseData();
    } else if (phase === 'pax-sparse') {
      takeSparseMapBlock(block);
    } else if (isZeroBlock(block)) {
      if (sawZeroBlock) phase = 'ended';
      sawZeroBlock = true;
    } else {
      handleHeader(block, offset);
    }
  }

  function handleHeader(block: Buffer, offset: number): void {
    if (sawZeroBlock) throw invalidTar('a block of zeros is followed by something else');
    if (!hasValidChecksum(block)) {
      throw invalidTar(`the tar header at byte ${offset} has a wrong checksum`, {
        hint: 'the archive is damaged, or it is not a tar archive',
      });
    }
    const format = headerFormat(block);
    const header = decodeHeader(block, { format, offset });
    const flag = block[156] ?? 0;
    const kind = extendedHeaderKind(flag);
    if (kind !== undefined) {
      startExtended(kind, header.size);
      return;
    }
    const blockBytes = header.size;
    applyExtensions(header, { pax, gnuName, gnuLinkname });
    header.type = entryType(flag, header.name);
    if (handler.doubt !== undefined) {
      const { name, size, type } = header;
      const raw = { name, isFile: type === 'file', blockSize: blockBytes, size, pax, gnuName, gnuLinkname };
      for (const reason of doubtsOfEntry(raw)) handler.doubt(reason);
    }
    if (header.type !== 'file') header.size = 0;
    startEntry(header);
    if (flag === 0x53) startGnuSparse(header, format === 'gnu' ? block : undefined);
    else if (pax === undefined || !startPaxSparse(header, pax)) startData();
    pax = gnuName = gnuLinkname = undefined;
  }

  function startExtended(kind: ExtendedKind, size: number): void {
    if (size > EXTENDED_HEADER_LIMIT) {
      throw tarLimitExceeded('an extended tar header', { limit: EXTENDED_HEADER_LIMIT, actual: size });
    }
    extendedKind = kind;
    extended = Buffer.allocUnsafeSlow(size);
    remaining = size;
    padding = paddingOf(size);
    phase = 'extended';
    if (size === 0) endExtended();
  }

  function endExtended(): void {
    switch (extendedKind) {
      case 'pax':
        if (pax !== undefined) handler.doubt?.('an entry has two pax headers');
        pax = parsePaxRecords(extended);
        doubtPax(pax, { isGlobal: false });
        break;
      case 'global':
        doubtPax(parsePaxRecords(extended), { isGlobal: true });
        break;
      case 'long-name':
        if (gnuName !== undefined) handler.doubt?.('an entry has two GNU long names');
        gnuName = untilNul(extended);
        break;
      case 'long-link':
        gnuLinkname = untilNul(extended);
        break;
    }
    extended = partialBlock;
    startPadding();
  }

  function doubtPax(records: PaxRecords, kind: { readonly isGlobal: boolean }): void {
    if (handler.doubt === undefined) return;
    for (const reason of doubtsOfPax(records, kind)) handler.doubt(reason);
  }

  function startEntry(header: TarEntryDraft): void {
    pending = header;
    remaining = header.size;
    padding = paddingOf(header.size);
  }

  function startData(): void {
    const header = pending;
    if (header === undefined) return;
    pending = undefined;
    handler.entry(header);
    if (remaining === 0) endData();
    else phase = 'data';
  }

  function startGnuSparse(header: TarEntryDraft, block: Buffer | undefined): void {
    if (block === undefined) throw invalidTar('a sparse entry is not in the GNU format');
    header.size = gnuRealSize(block);
    sparseMap = createGnuSparseDecoder();
    if (sparseMap.push(block)) startSparseData();
    else phase = 'gnu-sparse';
  }

  function startPaxSparse(header: TarEntryDraft, records: PaxRecords): boolean {
    const format = paxSparseFormat(records);
    if (format === undefined) return false;
    if (header.type !== 'file') {
      throw invalidTar(`tar entry ${quoteName(header.name)} is sparse but not a file`);
    }
    const name = records.values.get('GNU.sparse.name');
    if (name?.includes(0)) throw invalidTar('the name of a sparse file holds a NUL');
    if (name !== undefined && name.length > 0) setName(header, decodeText(name));
    header.size = paxRealSize(records) ?? header.size;
    if (format === 'data') {
      sparseMap = createPaxSparseDecoder();
      phase = 'pax-sparse';
      return true;
    }
    header.sparse = checkSegments(paxRecordSegments(records), { size: header.size, dataBytes: remaining });
    startData();
    return true;
  }

  function takeSparseMapBlock(block: Buffer): void {
    if (remaining < blockSize) throw invalidTar('the map of a sparse file is cut off');
    remaining -= blockSize;
    if (sparseMap?.push(block)) startSparseData();
  }

  function startSparseData(): void {
    if (pending !== undefined && sparseMap !== undefined) {
      const { size } = pending;
      pending.sparse = checkSegments(sparseMap.segments, { size, dataBytes: remaining });
    }
    sparseMap = undefined;
    startData();
  }

  function finish(): void {
    if (failure !== undefined) throw failure;
    const isBetweenEntries = phase === 'header' && partialBytes === 0;
    if (isBetweenEntries || phase === 'padding' || phase === 'ended') return;
    failure = invalidTar('the tar archive is cut off', { actual: chunkOffset });
    throw failure;
  }

  return {
    push,
    finish,
    get ended(): boolean {
      return phase === 'ended';
    },
  };
}

function extendedHeaderKind(flag: number): ExtendedKind | undefined {
  switch (flag) {
    case 0x78: // 'x'
      return 'pax';
    case 0x67: // 'g'
      return 'global';
    case 0x4c: // 'L'
      return 'long-name';
    case 0x4b: // 'K'
      return 'long-link';
    default:
      return undefined;
  }
}

function paxRealSize({ values }: PaxRecords): number | undefined {
  const size = values.get('GNU.sparse.size') ?? values.get('GNU.sparse.realsize');
  if (size === undefined || size.length === 0) return undefined;
  return checkSize(parseDecimal(size.toString('latin1'), 'the size of a sparse file'));
}

function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < blockSize; index++) if (block[index] !== 0) return false;
  return true;
}

function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
