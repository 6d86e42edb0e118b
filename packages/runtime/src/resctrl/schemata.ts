import type { IntelRdt } from '@ocijs/bundle/spec';

/** What is to be written, one line each, in the specification's order: schemata, then the two older settings. */
export function schemataLines({ schemata = [], l3CacheSchema, memBwSchema }: IntelRdt): string[] {
  return [...schemata, ...[l3CacheSchema, memBwSchema].flatMap((text) => text?.split('\n') ?? [])].filter(
    (line) => line.trim() !== '',
  );
}

/** `L3:0=00f;1=f0` as pairs of a resource with a domain, and a value without leading zeros. */
function parse(lines: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of lines) {
    const [resource = '', domains = ''] = line.trim().split(':', 2);
    for (const domain of domains.split(';')) {
      const [id = '', value = ''] = domain.split('=', 2);
      values.set(
        `${resource}:${id.trim()}`,
        value
          .trim()
          .toLowerCase()
          .replace(/^0+(?=.)/, ''),
      );
    }
  }
  return values;
}

/** True when a group's schemata file has all that is asked for. */
export function hasSchemata(file: string, wanted: readonly string[]): boolean {
  const present = parse(file.split('\n'));
  return [...parse(wanted)].every(([name, value]) => present.get(name) === value);
}
