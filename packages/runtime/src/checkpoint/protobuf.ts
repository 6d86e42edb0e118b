/** A value of a field: numbers and truth as varints, texts, and messages in messages; lists stand for repeated fields. */
export type FieldValue = number | boolean | string | Message | readonly (string | Message)[] | undefined;

/** A message of protocol buffers: values by the numbers of their fields. */
export type Message = ReadonlyMap<number, FieldValue>;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  // Negative numbers have 64 bits, as int32 has on the wire.
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function withLength(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function encodeField(field: number, value: FieldValue): Buffer[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [withLength(field, Buffer.from(value))];
  if (typeof value === 'number' || typeof value === 'boolean') {
    return [Buffer.concat([varint(field << 3), varint(Number(value))])];
  }
  if (value instanceof Map) return [withLength(field, encodeProtobuf(value))];
  return [...(value as readonly (string | Message)[])].flatMap((one) => encodeField(field, one));
}

/** The bytes of a message (protocol buffers, "Encoding"); fields without a value are left out. */
export function encodeProtobuf(message: Message): Buffer {
  return Buffer.concat([...message].flatMap(([field, value]) => encodeField(field, value)));
}
