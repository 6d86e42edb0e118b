/** A tag read as a version (semver.org), as far as it is one. */
interface Version {
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];
}

/** `v` in front, and missing minor and patch numbers, are common in tags; build metadata cannot be in one. */
const form = /^v?(\d{1,20})(?:\.(\d{1,20}))?(?:\.(\d{1,20}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

function parseVersion(tag: string): Version | undefined {
  const match = form.exec(tag);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return {
    numbers: [major, minor, patch].map((number) => BigInt(number ?? 0)),
    prerelease: prerelease?.split('.') ?? [],
  };
}

/**
 * Sorts tags by Semantic Versioning's precedence, oldest first; tags that are no versions come before all
 * others, in the order of their names.
 */
export function sortByVersion(tags: readonly string[]): string[] {
  return tags
    .map((tag) => ({ tag, version: parseVersion(tag) }))
    .sort((left, right) => {
      if (left.version === undefined || right.version === undefined) {
        const difference = Number(left.version !== undefined) - Number(right.version !== undefined);
        return difference === 0 ? compareText(left.tag, right.tag) : difference;
      }
      return compareVersions(left.version, right.version) || compareText(left.tag, right.tag);
    })
    .map(({ tag }) => tag);
}

function compareVersions(left: Version, right: Version): number {
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  // A pre-release comes before its release.
  if (left.prerelease.length === 0 || right.prerelease.length === 0) {
    return right.prerelease.length - left.prerelease.length;
  }
  for (const [index, part] of left.prerelease.entries()) {
    const other = right.prerelease[index];
    if (other === undefined) return 1;
    const difference = compareIdentifiers(part, other);
    if (difference !== 0) return difference;
  }
  return left.prerelease.length - right.prerelease.length;
}

/** Numbers by value and before words; words by character. */
function compareIdentifiers(left: string, right: string): number {
  const isNumber = /^\d+$/.test(left);
  const isOtherNumber = /^\d+$/.test(right);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  if (!isNumber) return compareText(left, right);
  const difference = BigInt(left) - BigInt(right);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
