/** The columns of a row: numbers, texts, bytes. */
export type SqliteValue = number | bigint | string | Buffer | null;

/** Pages that one walk may visit: cycles would never end. */
const MAX_PAGES = 1_000_000;

/**
 * The rows of a table of an SQLite file, without the library: the file is an image's, and a database engine is a large surface
 * for hostile input. Indexes, views and the write-ahead log are not read.
 *
 * @throws RangeError when the file is damaged.
 * @see https://www.sqlite.org/fileformat2.html
 */
export function readSqliteTable(file: Buffer, table: string): readonly (readonly SqliteValue[])[] {
  if (file.toString('latin1', 0, 15) !== 'SQLite format 3') throw new RangeError('no SQLite file');
  const stored = file.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize < 512) throw new RangeError('the page size is wrong');
  const database: Database = { file, pageSize, usable: pageSize - file.readUInt8(20), left: MAX_PAGES };
  const root = readTree(database, 1).find(([type, name]) => type === 'table' && name === table)?.[3];
  return root === undefined || root === null ? [] : readTree(database, Number(root));
}

interface Database {
  readonly file: Buffer;
  readonly pageSize: number;
  /** Bytes of a page that hold content. */
  readonly usable: number;
  left: number;
}

function page(database: Database, number: number): Buffer {
  if (database.left-- <= 0) throw new RangeError('the pages are linked in a circle');
  const start = (number - 1) * database.pageSize;
  if (number < 1 || start + database.pageSize > database.file.length) throw new RangeError('no such page');
  return database.file.subarray(start, start + database.pageSize);
}

function readTree(database: Database, number: number): readonly (readonly SqliteValue[])[] {
  const content = page(database, number);
  const header = number === 1 ? 100 : 0;
  const type = content.readUInt8(header);
  const isLeaf = type === 0x0d;
  if (!isLeaf && type !== 0x05) throw new RangeError('no page of a table');
  const count = content.readUInt16BE(header + 3);
  const pointers = header + (isLeaf ? 8 : 12);
  const cells = Array.from({ length: count }, (_, index) => content.readUInt16BE(pointers + 2 * index));
  if (isLeaf) return cells.map((cell) => readRecord(readPayload(database, content, cell)));
  const children = cells.map((cell) => content.readUInt32BE(cell));
  return [...children, content.readUInt32BE(header + 8)].flatMap((child) => readTree(database, child));
}

/** The payload of a cell, with what overflows to other pages. */
function readPayload(database: Database, content: Buffer, cell: number): Buffer {
  const size = readVarint(content, cell);
  const key = readVarint(content, size.end);
  const { usable } = database;
  const length = Number(size.value);
  if (length > database.file.length) throw new RangeError('a row is larger than the file');
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const rest = least + ((length - least) % (usable - 4));
  const local = length <= most ? length : rest <= most ? rest : least;
  const parts = [content.subarray(key.end, key.end + local)];
  let missing = length - local;
  let next = missing > 0 ? content.readUInt32BE(key.end + local) : 0;
  while (missing > 0) {
    const overflow = page(database, next);
    parts.push(overflow.subarray(4, 4 + Math.min(missing, usable - 4)));
    missing -= usable - 4;
    next = overflow.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function readRecord(payload: Buffer): readonly SqliteValue[] {
  const header = readVarint(payload, 0);
  const types: number[] = [];
  for (let at = header.end; at < Number(header.value); ) {
    const type = readVarint(payload, at);
    types.push(Number(type.value));
    at = type.end;
  }
  let at = Number(header.value);
  return types.map((type) => {
    const length = lengthOf(type);
    if (at + length > payload.length) throw new RangeError('a row is cut off');
    const bytes = payload.subarray(at, at + length);
    at += length;
    if (type >= 12) return type % 2 === 0 ? bytes : bytes.toString('utf8');
    if (type === 7) return bytes.readDoubleBE();
    if (type === 0) return null;
    if (type >= 8) return type - 8;
    return length <= 6 ? bytes.readIntBE(0, length) : bytes.readBigInt64BE();
  });
}

const numberLengths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function lengthOf(type: number): number {
  if (type >= 12) return (type - (type % 2 === 0 ? 12 : 13)) / 2;
  return numberLengths[type] ?? 0;
}

function readVarint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let index = 0; index < 9; index++) {
    const byte = bytes.readUInt8(start + index);
    if (index === 8) return { value: (value << 8n) | BigInt(byte), end: start + 9 };
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return { value, end: start + 9 };
}
