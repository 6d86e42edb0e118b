import { dbusMessageLimit } from '../limits.ts';
import { Decoder } from './decode.ts';
import { Encoder } from './encode.ts';
import type { Value, Variant } from './signature.ts';

/** Kinds of messages (D-Bus specification, "Message Types"). */
export const messageKinds = { call: 1, reply: 2, error: 3, signal: 4 } as const;

const fields = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
} as const;
const fieldTypes = {
  path: 'o',
  interface: 's',
  member: 's',
  errorName: 's',
  replySerial: 'u',
  destination: 's',
  signature: 'g',
} as const;

/** One message of the bus. */
export interface BusMessage {
  readonly kind: number;
  readonly serial: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  readonly signature?: string;
  readonly body: readonly Value[];
}

const fixedSize = 16;

/** The bytes of a message. */
export function encodeMessage(message: BusMessage): Buffer {
  const body = new Encoder();
  body.all(message.signature ?? '', message.body);
  const header = new Encoder();
  const list = Object.entries(fields).flatMap(([name, code]) => {
    const value = message[name as keyof typeof fields];
    return value === undefined || value === ''
      ? []
      : [[code, { signature: fieldTypes[name as keyof typeof fieldTypes], value }] as const];
  });
  const start: Value[] = ['l'.charCodeAt(0), message.kind, 0, 1, body.bytes.length, message.serial, list];
  header.all('yyyyuua(yv)', start);
  header.align(8);
  return Buffer.concat([header.bytes, body.bytes]);
}

/** How long the message at the start of some bytes is; undefined when too few of it are there. Throws RangeError. */
function lengthOf(bytes: Buffer): number | undefined {
  if (bytes.length < fixedSize) return undefined;
  if (bytes[0] !== 'l'.charCodeAt(0)) throw new RangeError('a D-Bus message of another byte order');
  const header = fixedSize + bytes.readUInt32LE(12);
  const length = Math.ceil(header / 8) * 8 + bytes.readUInt32LE(4);
  if (length > dbusMessageLimit) throw new RangeError(`a D-Bus message of ${length} bytes`);
  return length;
}

function decodeMessage(bytes: Buffer): BusMessage {
  const decoder = new Decoder(bytes);
  const [, kind, , , , serial, list] = decoder.all('yyyyuua(yv)');
  decoder.align(8);
  const values = new Map((list as [number, Variant][]).map(([code, variant]) => [code, variant.value]));
  const named = Object.entries(fields).flatMap(([name, code]) =>
    values.has(code) ? [[name, values.get(code)] as const] : [],
  );
  const signature = String(values.get(fields.signature) ?? '');
  return {
    ...Object.fromEntries(named),
    kind: Number(kind),
    serial: Number(serial),
    body: decoder.all(signature),
  };
}

/** Cuts a stream into messages; each call gets bytes and gives the messages that they complete. Throws RangeError. */
export function createBusReader(): (chunk: Buffer) => BusMessage[] {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: BusMessage[] = [];
    for (
      let length = lengthOf(pending);
      length !== undefined && pending.length >= length;
      length = lengthOf(pending)
    ) {
      messages.push(decodeMessage(pending.subarray(0, length)));
      pending = pending.subarray(length);
    }
    return messages;
  };
}
