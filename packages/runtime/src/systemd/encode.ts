import { alignments, typesOf, type Value, type Variant } from './signature.ts';

/** Bytes that grow, little-endian; every value starts at a multiple of its type's alignment. */
export class Encoder {
  #bytes: Buffer = Buffer.alloc(256);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  align(size: number): void {
    this.#reserve((size - (this.#length % size)) % size);
  }

  #reserve(size: number): Buffer {
    while (this.#length + size > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    const place = this.#bytes.subarray(this.#length, this.#length + size);
    this.#length += size;
    return place;
  }

  #text(value: string, lengthSize: 1 | 4): void {
    const text = Buffer.from(value);
    if (text.includes(0)) throw new RangeError(`a text with a NUL: ${JSON.stringify(value)}`);
    this.#reserve(lengthSize).writeUIntLE(text.length, 0, lengthSize);
    this.#reserve(text.length + 1).set(text);
  }

  #array(type: string, items: readonly Value[]): void {
    const lengthAt = this.#length;
    this.#reserve(4);
    this.align(alignments[type[0] as string] ?? 1);
    const start = this.#length;
    for (const item of items) this.value(type, item);
    this.#bytes.writeUInt32LE(this.#length - start, lengthAt);
  }

  /** Appends a value of a single type. Throws RangeError for one that does not fit. */
  value(type: string, value: Value): void {
    const code = type[0] as string;
    this.align(alignments[code] ?? 1);
    switch (code) {
      case 'y':
        this.#reserve(1).writeUInt8(Number(value));
        break;
      case 'b':
        this.#reserve(4).writeUInt32LE(value ? 1 : 0);
        break;
      case 'n':
        this.#reserve(2).writeInt16LE(Number(value));
        break;
      case 'q':
        this.#reserve(2).writeUInt16LE(Number(value));
        break;
      case 'i':
        this.#reserve(4).writeInt32LE(Number(value));
        break;
      case 'u':
        this.#reserve(4).writeUInt32LE(Number(value));
        break;
      case 'x':
        this.#reserve(8).writeBigInt64LE(BigInt(value as bigint));
        break;
      case 't':
        this.#reserve(8).writeBigUInt64LE(BigInt(value as bigint));
        break;
      case 'd':
        this.#reserve(8).writeDoubleLE(Number(value));
        break;
      case 's':
      case 'o':
        this.#text(String(value), 4);
        break;
      case 'g':
        this.#text(String(value), 1);
        break;
      case 'v': {
        const variant = value as Variant;
        this.#text(variant.signature, 1);
        this.value(variant.signature, variant.value);
        break;
      }
      case 'a':
        this.#array(type.slice(1), value as readonly Value[]);
        break;
      default:
        this.all(type.slice(1, -1), value as readonly Value[]);
    }
  }

  /** Appends values of the types of a signature. */
  all(signature: string, values: readonly Value[]): void {
    for (const [index, type] of typesOf(signature).entries()) this.value(type, values[index] as Value);
  }
}
