/** The halves of a table for the CRC-64 of ISO 3309, bit-reversed, as Go's hash/crc64 has it. */
const high = new Uint32Array(256);
const low = new Uint32Array(256);

for (let index = 0; index < 256; index++) {
  let [upper, lower] = [0, index];
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (lower & 1) === 1;
    lower = ((lower >>> 1) | (upper << 31)) >>> 0;
    upper = (isOdd ? (upper >>> 1) ^ 0xd8000000 : upper >>> 1) >>> 0;
  }
  high[index] = upper;
  low[index] = lower;
}

/** The sum of bytes that come in pieces. */
export interface Crc64 {
  update(bytes: Uint8Array): void;
  /** Eight bytes, the highest first. */
  digest(): Buffer;
}

/** Starts a CRC-64 (ISO): what tar-split notes of each file. 32 bits at a time, since JavaScript has no others. */
export function crc64(): Crc64 {
  let upper = 0xffffffff;
  let lower = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) {
        const index = (lower ^ byte) & 0xff;
        lower = (((lower >>> 8) | (upper << 24)) ^ (low[index] ?? 0)) >>> 0;
        upper = ((upper >>> 8) ^ (high[index] ?? 0)) >>> 0;
      }
    },
    digest() {
      const sum = Buffer.alloc(8);
      sum.writeUInt32BE(~upper >>> 0, 0);
      sum.writeUInt32BE(~lower >>> 0, 4);
      return sum;
    },
  };
}
