/** From this build on (Server 2022), Windows runs containers of older builds, down to this one. */
const stableBuild = 20348;

function numbers(version: string | undefined): number[] {
  if (version === undefined || version === '') return [];
  return version.split('.', 4).map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : 0));
}

/**
 * True when a Windows of the wanted version runs containers of the candidate's: major, minor and build agree, or both are
 * of Server 2022 or later and the candidate is not the newer one. A version that is not given fits every other.
 */
export function runsWindowsVersion(candidate: string | undefined, wanted: string | undefined): boolean {
  const [major, minor = 0, build = 0] = numbers(candidate);
  const [wantedMajor, wantedMinor = 0, wantedBuild = 0] = numbers(wanted);
  if (major === undefined || wantedMajor === undefined) return true;
  if (major !== wantedMajor || minor !== wantedMinor) return false;
  return build === wantedBuild || (build >= stableBuild && build < wantedBuild);
}

/** Orders two versions of Windows, the older one first and one that is not given before all. */
export function compareWindowsVersions(a: string | undefined, b: string | undefined): number {
  const left = numbers(a);
  const right = numbers(b);
  for (let index = 0; index < 4; index += 1) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
