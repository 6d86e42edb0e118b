import { syscallData as data } from './syscall-data.ts';

/** The system calls of one kind of processor: number by name. */
export type SyscallTable = ReadonlyMap<string, number>;

/** The name of a table. */
export type SyscallTableName = Exclude<keyof typeof data, 'common' | 'generic'>;

const generic: ReadonlySet<SyscallTableName> = new Set(['aarch64', 'riscv64', 'loongarch64']);

/** A number sets the counter, a name takes it and moves it on, a name with a minus is taken out again. */
function decode(texts: readonly string[]): Map<string, number> {
  const table = new Map<string, number>();
  for (const text of texts) {
    let next = 0;
    for (const word of text.trim().split(/\s+/)) {
      if (word.startsWith('-')) table.delete(word.slice(1));
      else if (/^\d/.test(word)) next = Number(word);
      else table.set(word, next++);
    }
  }
  return table;
}

const decoded = new Map<SyscallTableName, SyscallTable>();

/** The table of that name; numbers are without the offset of MIPS and without the bit of x32. */
export function syscallTable(name: SyscallTableName): SyscallTable {
  const known = decoded.get(name);
  if (known !== undefined) return known;
  const table = decode([data.common, ...(generic.has(name) ? [data.generic] : []), data[name]]);
  decoded.set(name, table);
  return table;
}

/** True for the name of a system call of any architecture. Only asked for few, hence without decoding all tables. */
export function isSyscall(name: string): boolean {
  if (!/^[a-z0-9_]+$/.test(name) || /^\d+$/.test(name)) return false;
  const word = new RegExp(`(?:^|\\s)${name}(?:\\s|$)`);
  return Object.values(data).some((text) => word.test(text));
}
