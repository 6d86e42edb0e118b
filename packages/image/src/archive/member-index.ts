import { ImageError, isOciError } from '../errors.ts';
import { ARCHIVE_LINKS_LIMIT, ARCHIVE_MEMBERS_LIMIT } from '../limits.ts';
import type { ReadBlobOptions } from '../source.ts';
import type { TarEntry } from '../tar/entry.ts';
import { quoteName } from '../tar/failure.ts';
import { createTarParser, type TarParser } from '../tar/parser.ts';
import { invalidArchive } from './failure.ts';
import { memberKey, symlinkKey } from './member-names.ts';
import type { FilePart, RandomAccessFile } from './random-access.ts';

/** Where the members of an archive are. */
export interface MemberIndex {
  readonly file: RandomAccessFile;
  /** The file that a name stands for, links followed; undefined when there is none. */
  find(name: string): FilePart | undefined;
  /** Reads a whole member of at most `limit` bytes; undefined when there is none. Refuses one that is there twice. */
  readDocument(name: string, limit: number): Promise<Buffer | undefined>;
}

interface Member {
  readonly link: string | undefined;
  readonly part: FilePart;
  readonly isSparse: boolean;
}

const BLOCK = 512;
const WINDOW = 64 * 1024;
const zeros: Buffer = Buffer.alloc(1024 * 1024);

/**
 * Finds the members of an uncompressed archive in one pass that reads headers and skips content. Of several members
 * with one name the last counts, as for whoever unpacks the archive.
 *
 * Throws ERR_OCI_TAR_INVALID, ERR_OCI_LIMIT_EXCEEDED for more than 100,000 members, and `signal.reason`.
 */
export async function indexMembers(
  file: RandomAccessFile,
  { signal }: ReadBlobOptions = {},
): Promise<MemberIndex> {
  const members = new Map<string, Member>();
  const repeated = new Set<string>();
  let count = 0;
  let position = 0;
  let content = 0;
  const parser = createTarParser({
    entry(header) {
      if (++count > ARCHIVE_MEMBERS_LIMIT) throw tooMany(file.location);
      content = header.sparse?.reduce((sum, { length }) => sum + length, 0) ?? header.size;
      const key = header.nameBytes === undefined ? memberKey(header.name) : undefined;
      const member = memberOf(header, { key, offset: position + BLOCK });
      if (key === undefined || member === undefined) return;
      if (members.has(key)) repeated.add(key);
      members.set(key, member);
    },
    data: () => undefined,
    end: () => undefined,
  });
  const blocks = blockReader(file);
  try {
    while (!parser.ended) {
      signal?.throwIfAborted();
      const block = blocks.cached(position) ?? (await blocks.fetch(position));
      if (block.length === 0) break;
      content = 0;
      parser.push(block);
      position += block.length;
      if (position + content > file.size) break;
      position += skip(parser, content);
    }
    parser.finish();
  } catch (error) {
    throw isOciError(error, 'ERR_OCI_TAR_INVALID') ? notTar(error, { file, members: count }) : error;
  }
  return memberIndex(file, { members, repeated });
}

/** The parser does not know which file it reads, nor that one without a single member was never an archive. */
function notTar(
  error: Error,
  { file, members }: { readonly file: RandomAccessFile; readonly members: number },
): ImageError {
  const { location } = file;
  return members === 0
    ? new ImageError('ERR_OCI_TAR_INVALID', `${location} is not a tar archive`, {
        path: location,
        cause: error,
        hint: 'an archive of images is a tar file, plain or compressed with gzip or zstd',
      })
    : new ImageError('ERR_OCI_TAR_INVALID', `${location}: ${error.message}`, {
        path: location,
        cause: error,
      });
}

/** Lets the parser pass over content that nobody reads. Returns how far the next header is. */
function skip(parser: TarParser, content: number): number {
  const length = Math.ceil(content / BLOCK) * BLOCK;
  for (let left = length; left > 0; left -= Math.min(left, zeros.length))
    parser.push(left < zeros.length ? zeros.subarray(0, left) : zeros);
  return length;
}

function memberOf(
  header: TarEntry,
  { key, offset }: { readonly key: string | undefined; readonly offset: number },
): Member | undefined {
  const { type, linkname, size } = header;
  const part = { offset, length: size };
  if (type === 'file') return { link: undefined, part, isSparse: header.sparse !== undefined };
  if (key === undefined || (type !== 'link' && type !== 'symlink')) return undefined;
  const target = type === 'link' ? memberKey(linkname) : symlinkKey(key, linkname);
  return { link: target ?? '', part, isSparse: false };
}

function blockReader(file: RandomAccessFile): {
  cached(position: number): Buffer | undefined;
  fetch(position: number): Promise<Buffer>;
} {
  let start = 0;
  let window: Buffer = Buffer.alloc(0);
  const cached = (position: number): Buffer | undefined => {
    const at = position - start;
    return at >= 0 && at + BLOCK <= window.length ? window.subarray(at, at + BLOCK) : undefined;
  };
  return {
    cached,
    async fetch(position) {
      window = await file.read(position, WINDOW);
      start = position;
      return cached(position) ?? window;
    },
  };
}

function memberIndex(
  file: RandomAccessFile,
  {
    members,
    repeated,
  }: { readonly members: ReadonlyMap<string, Member>; readonly repeated: ReadonlySet<string> },
): MemberIndex {
  const { location } = file;
  const find = (name: string): FilePart | undefined => {
    let key = memberKey(name);
    for (let hops = 0; key !== undefined; hops++) {
      const member = members.get(key);
      if (member === undefined) return undefined;
      if (member.isSparse)
        throw invalidArchive(location, `stores ${quoteName(key)} as a sparse file`, { entry: key });
      if (member.link === undefined) return member.part;
      if (member.link === '' || hops === ARCHIVE_LINKS_LIMIT)
        throw invalidArchive(location, `has a link ${quoteName(key)} that leads out of it or in circles`, {
          entry: key,
        });
      key = member.link;
    }
    return undefined;
  };
  return {
    file,
    find,
    async readDocument(name, limit) {
      const part = find(name);
      if (part === undefined) return undefined;
      if (repeated.has(name))
        throw invalidArchive(location, `has more than one ${name}`, {
          entry: name,
          hint: 'programs would see different images in it; make the archive again',
        });
      if (part.length > limit)
        throw new ImageError(
          'ERR_OCI_LIMIT_EXCEEDED',
          `${name} in ${location} has more than ${limit} bytes`,
          {
            path: location,
            entry: name,
            limit,
            actual: part.length,
          },
        );
      return file.read(part.offset, part.length);
    },
  };
}

function tooMany(location: string): ImageError {
  return new ImageError(
    'ERR_OCI_LIMIT_EXCEEDED',
    `${location} has more than ${ARCHIVE_MEMBERS_LIMIT} members`,
    { path: location, limit: ARCHIVE_MEMBERS_LIMIT },
  );
}
