import { readFileSync } from 'node:fs';
import type { Counter } from './types.ts';

/** What a file of a group says; undefined when the kernel has no such file or the group is gone. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // EOPNOTSUPP: pressure is switched off, or the group is threaded.
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP'].includes(code)) return undefined;
    throw error;
  }
}

/** A decimal number; exact, however large. Zero for what is none. */
export function counter(text: string | undefined): Counter {
  if (text === undefined || !/^-?\d+$/.test(text)) return 0;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** A number of a file; zero without the file. */
export function readCounter(path: string): Counter {
  return counter(readText(path));
}

/** Lines of `name number`. */
export function readTable(path: string): Record<string, Counter> {
  const table: Record<string, Counter> = {};
  for (const line of (readText(path) ?? '').split('\n')) {
    const [name, value] = line.split(' ');
    if (name && value !== undefined) table[name] = counter(value);
  }
  return table;
}

/** The numbers of a list such as `0-3,7`. */
export function numberList(text: string): number[] {
  return text
    .split(',')
    .filter(Boolean)
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The fields whose value is neither zero nor missing. */
export function withoutZeros<Fields extends object>(fields: Fields): Partial<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== 0);
  return Object.fromEntries(entries) as Partial<Fields>;
}

/** A counter times a whole number. */
export function times(value: Counter, factor: number): Counter {
  return counter(String(BigInt(value) * BigInt(factor)));
}
