/** The line of Node that a project gets when it does not say which: the newest with long-term support that this version knows. */
export const defaultNodeMajor = 24;

/** By the names of `lts/NAME` in `.nvmrc`. */
const lines: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};
/** In the order in which they are taken where several would do. */
const majors = [defaultNodeMajor, 26, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 25, 23, 21, 19, 17, 15];

/**
 * The major version of Node for a project: that of `.nvmrc` or `.node-version`, else one that the range of `engines.node` allows.
 * Undefined when they say what is not understood.
 */
export function nodeMajor({
  versionFile,
  engine,
}: {
  /** The text of the file. */
  readonly versionFile?: string | undefined;
  readonly engine?: string | undefined;
}): number | undefined {
  const wanted = versionFile
    ?.split('\n')
    .find((line) => line.trim() !== '' && !line.startsWith('#'))
    ?.trim()
    .toLowerCase();
  if (wanted !== undefined) {
    const [, major] = /^v?(\d{1,3})(?:\.|$)/.exec(wanted) ?? [];
    if (major !== undefined) return Number(major);
    if (/^(?:lts\/\*|node|stable|lts)$/.test(wanted)) return defaultNodeMajor;
    return lines[wanted.replace(/^lts\//, '')];
  }
  if (engine === undefined || engine.trim() === '') return defaultNodeMajor;
  return [...majors, ...exactMajors(engine)].find((major) => allowsMajor(engine, major));
}

/** Versions that nobody knew when this was written. */
function exactMajors(range: string): readonly number[] {
  return [...range.matchAll(/(?<![\d.])v?(\d{1,3})/g)].map(([, major]) => Number(major));
}

/** True when some version of a major version is in a range of npm's. */
function allowsMajor(range: string, major: number): boolean {
  return range.split('||').some((part) => {
    const text = part
      .replace(/([<>=~^]+)\s+/g, '$1')
      .replace(/(\S+)\s+-\s+(\S+)/g, '>=$1 <=$2')
      .trim();
    const comparators = text === '' ? [] : text.split(/\s+/);
    return comparators.every((comparator) => mayBe(comparator, major));
  });
}

function mayBe(comparator: string, major: number): boolean {
  const [, operator = '', first = '', rest = ''] = /^([<>=~^]*)v?(\d+|[xX*])(.*)$/.exec(comparator) ?? [];
  if (first === '') return false;
  if (!/^\d/.test(first)) return true;
  const wanted = Number(first);
  if (operator === '>=') return major >= wanted;
  // `>18` without more means 19 and later.
  if (operator === '>') return rest.startsWith('.') ? major >= wanted : major > wanted;
  if (operator === '<') return /^(?:\.[0xX*])*$/.test(rest) ? major < wanted : major <= wanted;
  if (operator === '<=') return major <= wanted;
  return major === wanted;
}
