/** A header block by hand. */
export function block(
  name: string,
  fields: { size?: string; type?: string; magic?: string; linkname?: string },
): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(fields.size ?? '00000000000\0', 124, 12, 'latin1');
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(fields.type ?? '0', 156);
  header.write(fields.linkname ?? '', 157, 100);
  header.write(fields.magic ?? 'ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** A number as header blocks have it. */
export function octal(value: number): string {
  return `${value.toString(8).padStart(11, '0')}\0`;
}

/** Content up to the end of its block. */
export function padded(bytes: Buffer | string): Buffer {
  const content = Buffer.from(bytes);
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A record of a pax header. */
export function record(key: string, value: string): string {
  for (let length = key.length + value.length + 3; ; length++) {
    const text = `${length} ${key}=${value}\n`;
    if (Buffer.byteLength(text) === length) return text;
  }
}

/** An extended header. */
export function pax(...records: readonly string[]): Buffer {
  return extended('x', records);
}

/** A global one. */
export function globalPax(...records: readonly string[]): Buffer {
  return extended('g', records);
}

function extended(type: string, records: readonly string[]): Buffer {
  const content = records.join('');
  return Buffer.concat([
    block('PaxHeader', { type, size: octal(Buffer.byteLength(content)) }),
    padded(content),
  ]);
}

/** The end marker. */
export const end: Buffer = Buffer.alloc(1024);
