import type { Platform } from '../platform.ts';
import { normalizeCpu, normalizePlatform } from './normalize.ts';
import { compareWindowsVersions, runsWindowsVersion } from './windows.ts';

type Cpu = Pick<Platform, 'architecture' | 'variant'>;

/** Variants from `prefix` + high down to `prefix` + low. */
function countDown(architecture: string, prefix: string, range: { high: number; low: number }): Cpu[] {
  const cpus: Cpu[] = [];
  for (let n = range.high; n >= range.low; n -= 1) cpus.push({ architecture, variant: `${prefix}${n}` });
  return cpus;
}

function armBelow(variant: string): Cpu[] {
  const version = /^v([6-9])$/.exec(variant)?.[1];
  return version === undefined ? [] : countDown('arm', 'v', { high: Number(version) - 1, low: 5 });
}

function arm64Below(variant: string): Cpu[] {
  const [, major, minor = '0'] = /^v([89])(?:\.(\d))?$/.exec(variant) ?? [];
  if (major === undefined) return [];
  const below = Number(minor) - 1;
  const arm = [{ architecture: 'arm', variant: 'v8' }, ...armBelow('v8')];
  if (major === '8') return [...countDown('arm64', 'v8.', { high: below, low: 0 }), ...arm];
  // Arm v9.n has everything of v8.(n+5), and v8.9 is the last of its line.
  const last = Math.min(Number(minor) + 5, 9);
  return [
    ...countDown('arm64', 'v9.', { high: below, low: 0 }),
    ...countDown('arm64', 'v8.', { high: last, low: 0 }),
    ...arm,
  ];
}

function amd64Below(variant: string): Cpu[] {
  const version = Number(/^v(\d)$/.exec(variant)?.[1] ?? 1);
  return [...countDown('amd64', 'v', { high: version - 1, low: 1 }), { architecture: '386' }];
}

function cpusBelow({ architecture, variant }: Cpu): Cpu[] {
  switch (architecture) {
    case 'amd64':
      return amd64Below(variant ?? 'v1');
    case 'arm64':
      return arm64Below(variant ?? 'v8');
    case 'arm':
      return armBelow(variant ?? 'v7');
    default:
      return [];
  }
}

/** The processors whose programs a processor runs, best first, itself at the beginning. */
function runnableCpus(cpu: Cpu): Cpu[] {
  return [cpu, ...cpusBelow(cpu).map(normalizeCpu)];
}

function sameCpu(a: Cpu, b: Cpu): boolean {
  return a.architecture === b.architecture && a.variant === b.variant;
}

/** True when the wanted system offers all that the candidate needs; both are normalised. */
function runsSystem(candidate: Platform, wanted: Platform): boolean {
  if (candidate.os !== wanted.os) return false;
  const windows = wanted.os === 'windows';
  if (windows && !runsWindowsVersion(candidate['os.version'], wanted['os.version'])) return false;
  const offered = wanted['os.features'];
  // Base images of Windows ask for win32k, which no caller names.
  if (offered === undefined && windows) return true;
  return (candidate['os.features'] ?? []).every((feature) => offered?.includes(feature) === true);
}

/**
 * How well a candidate serves a wanted platform: 0 for the very platform, more for every step down in variant or
 * architecture, undefined when it does not run there.
 */
export function platformRank(candidate: Platform, wanted: Platform): number | undefined {
  const offer = normalizePlatform(candidate);
  const want = normalizePlatform(wanted);
  if (!runsSystem(offer, want)) return undefined;
  const rank = runnableCpus(want).findIndex((cpu) => sameCpu(cpu, offer));
  return rank < 0 ? undefined : rank;
}

/**
 * True when images of the candidate platform run on the wanted one: the same system, and the same or a lower variant
 * (`arm/v6` on `arm/v7`) or a compatible architecture (`386` on `amd64`, `arm` on `arm64`), as containerd decides it.
 */
export function matchesPlatform(candidate: Platform, wanted: Platform): boolean {
  return platformRank(candidate, wanted) !== undefined;
}

/** True when the candidate is the wanted platform itself, in whatever spelling. */
export function isSamePlatform(candidate: Platform, wanted: Platform): boolean {
  return platformRank(candidate, wanted) === 0;
}

/** Orders two platforms that both run on the wanted one: the better one first. */
export function comparePlatforms(
  a: Platform,
  b: Platform,
  { wanted }: { readonly wanted: Platform },
): number {
  const byCpu = (platformRank(a, wanted) ?? Infinity) - (platformRank(b, wanted) ?? Infinity);
  return byCpu !== 0 && !Number.isNaN(byCpu)
    ? byCpu
    : compareWindowsVersions(b['os.version'], a['os.version']);
}
