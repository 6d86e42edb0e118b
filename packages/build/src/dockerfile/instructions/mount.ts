import { suggest } from '@ocijs/image/suggest';
import { parseBytes } from '../../units.ts';
import { type InstructionContext, refuse } from './context.ts';
import { splitFields } from './fields.ts';
import type { MountFlag } from './types.ts';

const types = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const sharings = ['shared', 'private', 'locked'] as const;

const keysOf: Readonly<Record<MountFlag['type'], readonly string[]>> = {
  bind: ['target', 'source', 'from', 'readonly'],
  cache: ['target', 'source', 'from', 'id', 'readonly', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['target', 'id', 'required', 'env', 'mode', 'uid', 'gid'],
  ssh: ['target', 'id', 'required', 'mode', 'uid', 'gid'],
};

const aliases: Readonly<Record<string, string>> = {
  dst: 'target',
  destination: 'target',
  src: 'source',
  ro: 'readonly',
};

/** Reads the value of one `--mount` flag of `RUN`: `type=cache,target=/root/.cache`. */
export function readMount(context: InstructionContext, value: string): MountFlag {
  const fields = new Map<string, string>();
  for (const field of splitFields(value)) {
    const [, written = '', text = 'true'] = /^([^=]*)(?:=(.*))?$/s.exec(field) ?? [];
    const lower = written.trim().toLowerCase();
    if (lower === 'rw' || lower === 'readwrite') fields.set('readonly', text === 'false' ? 'true' : 'false');
    else fields.set(aliases[lower] ?? lower, text);
  }
  const typeName = fields.get('type') ?? 'bind';
  const type = types.find((candidate) => candidate === typeName);
  if (type === undefined)
    return refuse(context, `a mount of type ${typeName} is unknown`, { token: typeName, hint: oneOf(types) });
  fields.delete('type');
  for (const key of fields.keys())
    if (!keysOf[type].includes(key)) {
      const near = suggest(key, keysOf[type]);
      const hint = near === undefined ? oneOf(keysOf[type]) : `did you mean ${near}?`;
      refuse(context, `a ${type} mount has no ${key}`, { token: key, hint });
    }
  return build(context, type, fields);
}

function build(context: InstructionContext, type: MountFlag['type'], fields: Map<string, string>): MountFlag {
  const number = (key: string, pattern: RegExp, radix: number): number | undefined => {
    const text = fields.get(key);
    if (text === undefined) return undefined;
    return pattern.test(text)
      ? Number.parseInt(text, radix)
      : refuse(context, `${key}=${text} is no number`, { token: text });
  };
  const flag = (key: string): boolean | undefined => {
    const text = fields.get(key);
    if (text === undefined) return undefined;
    if (!/^(?:true|false|1|0)$/i.test(text))
      refuse(context, `${key} is true or false, not ${text}`, { token: text });
    return /^(?:true|1)$/i.test(text);
  };
  const sharing = fields.get('sharing');
  if (sharing !== undefined && !sharings.some((known) => known === sharing))
    refuse(context, `sharing=${sharing} is unknown`, { token: sharing, hint: oneOf(sharings) });
  if ((type === 'bind' || type === 'cache' || type === 'tmpfs') && !fields.get('target'))
    refuse(context, `a ${type} mount needs target=PATH`, { token: '--mount' });
  if (type === 'secret' && !fields.get('id') && !fields.get('target'))
    refuse(context, 'a secret mount needs id=NAME', { token: '--mount' });
  const size = fields.get('size');
  const bytes = size === undefined ? undefined : parseBytes(size);
  if (size !== undefined && bytes === undefined)
    refuse(context, `size=${size} is no size`, { token: size, hint: 'for example 64m' });
  return defined({
    type,
    required: flag('required') ?? false,
    target: fields.get('target'),
    source: fields.get('source'),
    from: fields.get('from'),
    id: fields.get('id'),
    environment: fields.get('env'),
    readonly: flag('readonly'),
    sharing: sharings.find((known) => known === sharing),
    size: bytes,
    mode: number('mode', /^[0-7]{1,5}$/, 8),
    uid: number('uid', /^\d{1,10}$/, 10),
    gid: number('gid', /^\d{1,10}$/, 10),
  });
}

type Defined<Fields> = { readonly [Key in keyof Fields]: Exclude<Fields[Key], undefined> };

/** Leaves out what is not given. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> & MountFlag {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields> & MountFlag;
}

function oneOf(words: readonly string[]): string {
  return `one of ${words.join(', ')}`;
}
