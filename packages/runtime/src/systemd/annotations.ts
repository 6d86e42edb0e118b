import { RuntimeError } from '../errors.ts';
import type { Property } from './properties.ts';
import type { Value, Variant } from './signature.ts';

const prefix = 'org.systemd.property.';

const numberTypes: Readonly<Record<string, string>> = {
  byte: 'y',
  int16: 'n',
  uint16: 'q',
  int32: 'i',
  uint32: 'u',
  int64: 'x',
  uint64: 't',
  double: 'd',
};

/** Words, texts and brackets of GVariant's text form. */
const tokens = /\s*(?:([a-z]+\d*)|(-?\d+(?:\.\d+)?)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|([[\],]))/y;

function lex(text: string): string[] {
  const list: string[] = [];
  tokens.lastIndex = 0;
  while (text.slice(tokens.lastIndex).trim() !== '') {
    const match = tokens.exec(text);
    if (match === null) throw new RangeError('not a value');
    list.push(match[0].trim());
  }
  return list;
}

function numeric(type: string, text: string): Value {
  if (type === 'x' || type === 't') return BigInt(text);
  if (type !== 'd' && !/^-?\d+$/.test(text)) throw new RangeError('not a whole number');
  return Number(text);
}

function parse(list: string[]): Variant {
  const token = list.shift();
  if (token === undefined) throw new RangeError('a value is missing');
  if (token === 'true' || token === 'false') return { signature: 'b', value: token === 'true' };
  if (/^['"]/.test(token)) return { signature: 's', value: token.slice(1, -1).replace(/\\(.)/g, '$1') };
  if (/^-?\d/.test(token)) return { signature: token.includes('.') ? 'd' : 'i', value: Number(token) };
  if (token === '[') return parseList(list);
  const type = Object.hasOwn(numberTypes, token) ? numberTypes[token] : undefined;
  const number = list.shift();
  if (type === undefined || number === undefined) throw new RangeError(`${token} is not known`);
  return { signature: type, value: numeric(type, number) };
}

function parseList(list: string[]): Variant {
  const items: Variant[] = [];
  while (list[0] !== ']') {
    items.push(parse(list));
    if (list[0] === ',') list.shift();
    else if (list[0] !== ']') throw new RangeError('a list has no end');
  }
  list.shift();
  const signature = items[0]?.signature ?? 's';
  if (items.some((item) => item.signature !== signature)) throw new RangeError('a list of different types');
  return { signature: `a${signature}`, value: items.map(({ value }) => value) };
}

/** `TimeoutStopSec` is what people write; the bus knows microseconds alone. */
function inMicroseconds(name: string, { signature, value }: Variant): Property {
  if (!/[a-z]Sec$/.test(name)) return [name, { signature, value }];
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new RangeError('not a number of seconds');
  const microseconds = typeof value === 'bigint' ? value * 1_000_000n : BigInt(Math.round(value * 1_000_000));
  return [name.replace(/Sec$/, 'USec'), { signature: 't', value: microseconds }];
}

/**
 * Properties that annotations ask for: `org.systemd.property.NAME` with a value in GVariant's text form, such as
 * `'inactive-or-failed'` or `uint64 5000000`. Throws ERR_OCI_SPEC_CONFLICT for what is none.
 */
export function annotatedProperties(annotations: Readonly<Record<string, string>> = {}): Property[] {
  return Object.entries(annotations).flatMap(([key, text]) => {
    if (!key.startsWith(prefix)) return [];
    const name = key.slice(prefix.length);
    try {
      if (!/^[A-Za-z]{3,}$/.test(name)) throw new RangeError('not the name of a property');
      const list = lex(text);
      const value = parse(list);
      if (list.length > 0) throw new RangeError('more than one value');
      return [inMicroseconds(name, value)];
    } catch (cause) {
      const jsonPath = `$.annotations[${JSON.stringify(key)}]`;
      const message = `config.json: ${jsonPath} is no property of systemd: ${(cause as Error).message}`;
      throw new RuntimeError('ERR_OCI_SPEC_CONFLICT', message, { jsonPath, cause });
    }
  });
}
