import { RegistryError } from '../errors.ts';

/** A value of the part of TOML 1.0 that configuration files of container tools use: all but dates and times. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;

/** A table by key; a map, so that no key can be mistaken for something of an object's own. */
export type TomlTable = ReadonlyMap<string, TomlValue>;

type Table = Map<string, TomlValue>;

/** Where parsing is. */
interface Cursor {
  readonly text: string;
  readonly path: string;
  position: number;
}

/**
 * Parses TOML. Throws ERR_OCI_REGISTRY_CONFIG_INVALID, naming file and line, for what is not TOML, for dates,
 * and for keys and tables that stand twice.
 */
export function parseToml(text: string, path: string): TomlTable {
  const root: Table = new Map();
  const cursor: Cursor = { text: text.replaceAll('\r\n', '\n'), path, position: 0 };
  const defined = new Set<TomlValue>([root]);
  let table = root;
  for (;;) {
    skip(cursor, anyBlank);
    if (cursor.position >= cursor.text.length) return root;
    if (take(cursor, /\[\[/y) !== undefined) {
      const key = readKey(cursor);
      expect(cursor, /\]\]/y, ']]');
      table = appendTable(cursor, { root, key });
      defined.add(table);
    } else if (take(cursor, /\[/y) !== undefined) {
      const key = readKey(cursor);
      expect(cursor, /\]/y, ']');
      table = descend(cursor, { table: root, key });
      if (defined.has(table)) throw fault(cursor, `table ${key.join('.')} stands twice`);
      defined.add(table);
    } else readPair(cursor, table);
    skip(cursor, /[ \t]*(?:#[^\n]*)?/y);
    if (cursor.position < cursor.text.length) expect(cursor, /\n/y, 'the end of the line');
  }
}

const anyBlank = /(?:[ \t\n]|#[^\n]*)*/y;
const blank = /[ \t]*/y;

function take(cursor: Cursor, form: RegExp): string | undefined {
  form.lastIndex = cursor.position;
  const found = form.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.position += found.length;
  return found;
}

function skip(cursor: Cursor, form: RegExp): void {
  take(cursor, form);
}

function expect(cursor: Cursor, form: RegExp, what: string): void {
  skip(cursor, blank);
  if (take(cursor, form) === undefined) throw fault(cursor, `${what} is missing`);
}

function readKey(cursor: Cursor): readonly string[] {
  const parts: string[] = [];
  do {
    skip(cursor, blank);
    parts.push(take(cursor, /[A-Za-z0-9_-]+/y) ?? readOneLine(cursor));
    skip(cursor, blank);
  } while (take(cursor, /\./y) !== undefined);
  return parts;
}

function readOneLine(cursor: Cursor): string {
  const text = readString(cursor);
  if (text === undefined) throw fault(cursor, 'a key is missing');
  return text;
}

function readPair(cursor: Cursor, table: Table): void {
  const key = readKey(cursor);
  expect(cursor, /=/y, '=');
  skip(cursor, blank);
  const parent = descend(cursor, { table, key: key.slice(0, -1) });
  const name = key.at(-1) ?? '';
  if (parent.has(name)) throw fault(cursor, `key ${key.join('.')} stands twice`);
  parent.set(name, readValue(cursor));
}

interface Path {
  readonly table: Table;
  readonly key: readonly string[];
}

/** Through an array of tables the way leads into its last one. */
function descend(cursor: Cursor, { table, key }: Path): Table {
  let current = table;
  for (const name of key) {
    const found = current.get(name);
    const next = Array.isArray(found) ? found.at(-1) : (found ?? new Map());
    if (!(next instanceof Map)) throw fault(cursor, `${name} is a value and not a table`);
    if (found === undefined) current.set(name, next);
    current = next;
  }
  return current;
}

function appendTable(
  cursor: Cursor,
  { root, key }: { readonly root: Table; readonly key: readonly string[] },
): Table {
  const parent = descend(cursor, { table: root, key: key.slice(0, -1) });
  const name = key.at(-1) ?? '';
  const list = parent.get(name) ?? [];
  if (!Array.isArray(list) || list.some((item) => !(item instanceof Map))) {
    throw fault(cursor, `${key.join('.')} is no array of tables`);
  }
  const table: Table = new Map();
  parent.set(name, [...list, table]);
  return table;
}

function readValue(cursor: Cursor): TomlValue {
  const text = readString(cursor);
  if (text !== undefined) return text;
  if (take(cursor, /\[/y) !== undefined) return readArray(cursor);
  if (take(cursor, /\{/y) !== undefined) return readInlineTable(cursor);
  const word = take(cursor, /[A-Za-z0-9_+.:-]+/y) ?? '';
  if (word === 'true' || word === 'false') return word === 'true';
  if (/^[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d+)?$/.test(word)) {
    return Number(word.replaceAll('_', ''));
  }
  throw fault(
    cursor,
    word === '' ? 'a value is missing' : `${JSON.stringify(word)} is no value that is known`,
  );
}

function readArray(cursor: Cursor): TomlValue {
  const items: TomlValue[] = [];
  for (;;) {
    skip(cursor, anyBlank);
    if (take(cursor, /\]/y) !== undefined) return items;
    items.push(readValue(cursor));
    skip(cursor, anyBlank);
    if (take(cursor, /,/y) === undefined) {
      expect(cursor, /\]/y, ']');
      return items;
    }
  }
}

function readInlineTable(cursor: Cursor): TomlTable {
  const table: Table = new Map();
  skip(cursor, blank);
  if (take(cursor, /\}/y) !== undefined) return table;
  do {
    skip(cursor, blank);
    readPair(cursor, table);
    skip(cursor, blank);
  } while (take(cursor, /,/y) !== undefined);
  expect(cursor, /\}/y, '}');
  return table;
}

/** Undefined when no string begins here. */
function readString(cursor: Cursor): string | undefined {
  const literal = take(cursor, /'''[\s\S]*?'''(?!')|'(?!'')[^'\n]*'/y);
  if (literal !== undefined) return literal.startsWith("'''") ? inner(literal, 3) : inner(literal, 1);
  const basic = take(cursor, /"""(?:[^\\]|\\[\s\S])*?"""(?!")|"(?!"")(?:[^"\\\n]|\\.)*"/y);
  if (basic !== undefined) {
    return basic.startsWith('"""')
      ? decodeEscapes(cursor, inner(basic, 3).replaceAll(/\\[ \t]*\n\s*/g, ''))
      : decodeEscapes(cursor, inner(basic, 1));
  }
  return undefined;
}

/** A line end right after the opening of a string of several lines is none of it. */
function inner(text: string, quotes: number): string {
  const content = text.slice(quotes, -quotes);
  return quotes === 3 && content.startsWith('\n') ? content.slice(1) : content;
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
};

function decodeEscapes(cursor: Cursor, text: string): string {
  return text.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([\s\S]))/g, (all, short, long, letter) => {
    const known = typeof letter === 'string' ? escapes[letter] : undefined;
    if (known !== undefined) return known;
    const point = Number.parseInt(String(short ?? long), 16);
    if (Number.isNaN(point) || point > 0x10ffff) throw fault(cursor, `${all} is no escape`);
    return String.fromCodePoint(point);
  });
}

function fault({ text, path, position }: Cursor, reason: string): RegistryError {
  const line = text.slice(0, position).split('\n').length;
  return new RegistryError(
    'ERR_OCI_REGISTRY_CONFIG_INVALID',
    `configuration ${path}, line ${line}: ${reason}`,
    {
      path,
      hint: 'correct the file; podman and skopeo would refuse it too',
    },
  );
}
