import { checksum } from '../checksum.ts';

/** The fields of a header block, as they are to stand there. */
export interface BlockFields {
  readonly name?: string | Uint8Array;
  readonly mode?: string;
  readonly uid?: string | Uint8Array;
  readonly gid?: string;
  readonly size?: number | string | Uint8Array;
  readonly mtime?: string;
  readonly flag?: string;
  readonly linkname?: string;
  readonly magic?: string;
  readonly deviceMajor?: string;
  readonly deviceMinor?: string;
  readonly prefix?: string;
  /** Anything else, by offset. */
  readonly at?: Readonly<Record<number, string | Uint8Array>>;
}

/** The end marker. */
export const endMarker: Buffer = Buffer.alloc(1024);

/** Makes a header block with a right checksum, of fields that may be as wrong as a test wants. */
export function block(fields: BlockFields = {}): Buffer {
  const { name = 'a', size = 0, flag = '0', magic = 'ustar\u000000' } = fields;
  const bytes = Buffer.alloc(512);
  const put = (offset: number, value: string | Uint8Array | undefined): void => {
    if (value !== undefined) Buffer.from(value).copy(bytes, offset);
  };
  put(0, name);
  put(100, fields.mode ?? '0000644');
  put(108, fields.uid);
  put(116, fields.gid);
  put(124, typeof size === 'number' ? size.toString(8).padStart(11, '0') : size);
  put(136, fields.mtime);
  put(156, flag);
  put(157, fields.linkname);
  put(257, magic);
  put(329, fields.deviceMajor);
  put(337, fields.deviceMinor);
  put(345, fields.prefix);
  for (const [offset, value] of Object.entries(fields.at ?? {})) put(Number(offset), value);
  put(148, `${checksum(bytes).toString(8).padStart(6, '0')}\0 `);
  return bytes;
}

/** Content, padded to whole blocks. */
export function padded(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** An extended header: `x`, `g`, `L` or `K`. */
export function extended(flag: string, content: string | Uint8Array): Buffer {
  return Buffer.concat([
    block({ name: 'extended', flag, size: Buffer.byteLength(Buffer.from(content)) }),
    padded(content),
  ]);
}
