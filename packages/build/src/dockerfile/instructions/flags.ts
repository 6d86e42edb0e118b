import { suggest } from '@ocijs/image/suggest';
import { type InstructionContext, refuse } from './context.ts';

/** The flags of one instruction, checked: known, of the right kind, and given once where once is all there is. */
export interface Flags {
  text(name: string): string | undefined;
  boolean(name: string): boolean | undefined;
  list(name: string): readonly string[];
}

/** The flags an instruction knows, and what they take. */
export type FlagKinds = Readonly<Record<string, 'text' | 'boolean' | 'list'>>;

/** Reads `--name`, `--name=value` and `--name=false`. */
export function readFlags(context: InstructionContext, kinds: FlagKinds): Flags {
  const { node } = context;
  const values = new Map<string, string[]>();
  for (const flag of node.flags) {
    const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(flag) ?? [];
    const kind = kinds[name];
    if (kind === undefined) {
      const near = suggest(name, Object.keys(kinds));
      const hint = near === undefined ? undefined : `did you mean --${near}?`;
      return refuse(context, `${node.name} has no flag --${name}`, { token: `--${name}`, hint });
    }
    if (kind !== 'boolean' && (value ?? '') === '')
      refuse(context, `--${name} needs a value`, { token: `--${name}`, hint: `write --${name}=VALUE` });
    if (kind === 'boolean' && !/^(?:true|false|1|0)$/i.test(value ?? 'true'))
      refuse(context, `--${name} is true or false, not ${value}`, { token: `--${name}` });
    const earlier = values.get(name) ?? [];
    if (kind !== 'list' && earlier.length > 0)
      refuse(context, `--${name} may be given once`, { token: `--${name}` });
    values.set(name, [...earlier, value ?? 'true']);
  }
  const text = (name: string): string | undefined => values.get(name)?.[0];
  return {
    text,
    boolean: (name) => (text(name) === undefined ? undefined : /^(?:true|1)$/i.test(text(name) ?? '')),
    list: (name) => values.get(name) ?? [],
  };
}
