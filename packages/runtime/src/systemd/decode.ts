import { alignments, typesOf, type Value } from './signature.ts';

/** Reads values from the bytes of a message. Throws RangeError for bytes that are none. */
export class Decoder {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  align(size: number): void {
    this.#at += (size - (this.#at % size)) % size;
  }

  #take(size: number): Buffer {
    if (size < 0 || this.#at + size > this.#bytes.length) throw new RangeError('a D-Bus message ends early');
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #text(lengthSize: 1 | 4): string {
    const text = this.#take(this.#take(lengthSize).readUIntLE(0, lengthSize)).toString('utf8');
    this.#take(1);
    return text;
  }

  #array(type: string): Value[] {
    const length = this.#take(4).readUInt32LE();
    this.align(alignments[type[0] as string] ?? 1);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a D-Bus message ends early');
    const items: Value[] = [];
    while (this.#at < end) items.push(this.value(type));
    return items;
  }

  /** The next value, of a single type. */
  value(type: string): Value {
    const code = type[0] as string;
    this.align(alignments[code] ?? 1);
    switch (code) {
      case 'y':
        return this.#take(1).readUInt8();
      case 'b':
        return this.#take(4).readUInt32LE() !== 0;
      case 'n':
        return this.#take(2).readInt16LE();
      case 'q':
        return this.#take(2).readUInt16LE();
      case 'i':
        return this.#take(4).readInt32LE();
      case 'u':
      case 'h':
        return this.#take(4).readUInt32LE();
      case 'x':
        return this.#take(8).readBigInt64LE();
      case 't':
        return this.#take(8).readBigUInt64LE();
      case 'd':
        return this.#take(8).readDoubleLE();
      case 's':
      case 'o':
        return this.#text(4);
      case 'g':
        return this.#text(1);
      case 'v': {
        const signature = this.#text(1);
        const [only, ...others] = typesOf(signature);
        if (only === undefined || others.length > 0)
          throw new RangeError('a D-Bus variant of several values');
        return { signature, value: this.value(only) };
      }
      case 'a':
        return this.#array(type.slice(1));
      default:
        return this.all(type.slice(1, -1));
    }
  }

  /** The next values, of the types of a signature. */
  all(signature: string): Value[] {
    return typesOf(signature).map((type) => this.value(type));
  }
}
