import { quoteName } from './failure.ts';
import type { PaxRecords } from './pax.ts';

/** What is known of an entry's header before its parts are put together. */
export interface RawEntry {
  readonly name: string;
  readonly isFile: boolean;
  /** Of the header block, and with extended headers applied. */
  readonly blockSize: number;
  readonly size: number;
  readonly pax: PaxRecords | undefined;
  readonly gnuName: Buffer | undefined;
  readonly gnuLinkname: Buffer | undefined;
}

/** The largest size that the header block has digits for; what is larger needs pax, whatever the block says. */
const largestOctal = 0o77777777777;

/** Of a global pax header: what everybody passes over. All others change entries for those who apply them. */
const harmless: ReadonlySet<string> = new Set(['comment', 'charset', 'hdrcharset']);

/**
 * Where the parts of an entry contradict each other, so that readers with another precedence see another entry, or take
 * content for entries. Each reason completes "the archive can be read in two ways: ".
 */
export function doubtsOfEntry(entry: RawEntry): readonly string[] {
  const { isFile, blockSize, size, pax, gnuName, gnuLinkname } = entry;
  const doubts: string[] = [];
  const name = quoteName(entry.name);
  if (isFile && blockSize !== size && size <= largestOctal)
    doubts.push(`${name} has ${size} bytes by its pax header and ${blockSize} by its header block`);
  if (!isFile && size > 0) doubts.push(`${name} is no file and has ${size} bytes all the same`);
  if (differs(gnuName, pax?.values.get('path')))
    doubts.push(`${name} has another name in its pax header than in its GNU long name`);
  if (differs(gnuLinkname, pax?.values.get('linkpath')))
    doubts.push(`${name} has another target in its pax header than in its GNU long link`);
  return doubts;
}

function differs(gnu: Buffer | undefined, pax: Buffer | undefined): boolean {
  return gnu !== undefined && pax !== undefined && pax.length > 0 && gnu.length > 0 && !gnu.equals(pax);
}

/** The same of a pax header, which may be global. */
export function doubtsOfPax(
  { values, repeated }: PaxRecords,
  { isGlobal }: { readonly isGlobal: boolean },
): readonly string[] {
  const doubts = repeated.map((key) => `a pax header has several values for ${quoteName(key)}`);
  const global = isGlobal ? [...values.keys()].filter((key) => !harmless.has(key)) : [];
  return [
    ...doubts,
    ...global.map((key) => `a global pax header has a value for ${quoteName(key)}, which some readers apply`),
  ];
}
