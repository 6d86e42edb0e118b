/** A sequence of numbers that depends on its seed alone. */
export interface Randomness {
  /** From 0 to `limit - 1`. */
  below(limit: number): number;
}

/** xorshift32. */
export function randomness(seed: number): Randomness {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  return {
    below(limit) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state % limit;
    },
  };
}

const interesting = [0, 1, 0x20, 0x2f, 0x30, 0x37, 0x4c, 0x53, 0x78, 0x7f, 0x80, 0xff];

/** Changes a few bytes, or cuts, repeats or joins parts. Tar headers get their checksum right again, mostly. */
export function mutate(corpus: readonly Buffer[], random: Randomness): Buffer {
  const pick = (): Buffer => corpus[random.below(corpus.length)] ?? Buffer.alloc(0);
  let bytes: Buffer = Buffer.from(pick());
  for (let changes = 1 + random.below(6); changes > 0 && bytes.length > 0; changes--) {
    const at = random.below(bytes.length);
    const length = 1 + random.below(Math.min(600, bytes.length));
    switch (random.below(8)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), pick().subarray(0, 20_000)]);
        break;
      default:
        bytes[at] = interesting[random.below(2 * interesting.length)] ?? random.below(256);
        if (random.below(8) > 0) mendChecksum(bytes, at - (at % 512));
    }
  }
  return bytes;
}

function mendChecksum(bytes: Buffer, start: number): void {
  const block = bytes.subarray(start, start + 512);
  if (block.length < 512 || block.toString('latin1', 257, 262) !== 'ustar') return;
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
