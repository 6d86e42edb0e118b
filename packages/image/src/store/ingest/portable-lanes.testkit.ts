import type { Sha256Lanes } from './hash-module.ts';

const primes = (count: number): readonly number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
};

/** The first 32 bits of the fraction of a root (FIPS 180-4, section 4.2.2 and 5.3.3). */
const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32) >>> 0;

const constants = primes(64).map((prime) => fraction(Math.cbrt(prime)));
const initialState = Uint32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));
const rotate = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits));

/** What native lanes do, on every machine, one message after the other. */
export function portableLanes(count: number): Sha256Lanes {
  const every = Array.from({ length: count });
  // Buffers, whose `slice` copies nothing, as other implementations may have them.
  const data = every.map(() => Buffer.alloc(64 * 1024));
  const states = every.map(() => Uint32Array.from(initialState));
  return {
    count,
    data,
    states,
    initialState,
    compress(messages, blocks) {
      for (const message of messages) {
        const { buffer, byteOffset } = data[message] ?? Buffer.alloc(0);
        const state = states[message] ?? initialState;
        for (let block = 0; block < blocks; block++)
          addBlock(state, new DataView(buffer, byteOffset + block * 64, 64));
      }
    },
  };
}

/** As a module for `accelerateHashing`. */
export const createSha256Lanes = (): Sha256Lanes => portableLanes(3);

function addBlock(state: Uint32Array, block: DataView): void {
  const words = Array.from({ length: 16 }, (_, index) => block.getUint32(index * 4));
  const at = (index: number): number => words[index] ?? 0;
  for (let i = 16; i < 64; i++) {
    const [early, late] = [at(i - 15), at(i - 2)];
    const first = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const second = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[i] = (at(i - 16) + first + at(i - 7) + second) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let i = 0; i < 64; i++) {
    const first = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t = (h + first + ((e & f) ^ (~e & g)) + (constants[i] ?? 0) + at(i)) | 0;
    const second = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const u = (second + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(t + u) | 0, a, b, c, (d + t) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] ?? 0) + word;
  });
}
