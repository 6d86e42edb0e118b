import { readFileSync } from 'node:fs';

/** Text of a table, which may be bytes. */
export type TableText = string | { readonly $base64: string };

/** The cases of a table beside the tests. */
export function readTable<Case>(name: string): readonly Case[] {
  const file = new URL(`../testdata/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };
  if (cases.length === 0) throw new Error(`the table ${name} has no cases`);
  return cases;
}

/** The bytes that a table means. */
export function tableBytes(text: TableText): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.$base64, 'base64');
}
