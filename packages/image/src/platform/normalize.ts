import type { Platform } from '../platform.ts';

type Cpu = Pick<Platform, 'architecture' | 'variant'>;

const osNames: Readonly<Record<string, string>> = { macos: 'darwin' };

const architectureNames: Readonly<Record<string, string>> = {
  i386: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
};

const impliedVariants: Readonly<Record<string, string>> = { armhf: 'v7', armel: 'v6' };

function lookUp(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The variant in its usual spelling; empty for the one that an architecture name alone stands for. */
function normalizeVariant(architecture: string, variant: string): string {
  switch (architecture) {
    case '386':
      return '';
    case 'amd64':
      return variant === 'v1' ? '' : variant;
    case 'arm64':
      if (/^v?8(?:\.0)?$/.test(variant)) return '';
      return /^v?9(?:\.0)?$/.test(variant) ? 'v9' : variant;
    case 'arm':
      if (variant === '') return 'v7';
      return /^[5-8]$/.test(variant) ? `v${variant}` : variant;
    default:
      return variant;
  }
}

/** An architecture and variant in their usual spelling, such as amd64 for x86_64 and arm with v7 for armhf. */
export function normalizeCpu({ architecture, variant = '' }: Cpu): Cpu {
  const name = architecture.toLowerCase();
  const known = lookUp(architectureNames, name) ?? name;
  const spelled = normalizeVariant(known, lookUp(impliedVariants, name) ?? variant.toLowerCase());
  return spelled === '' ? { architecture: known } : { architecture: known, variant: spelled };
}

/**
 * A platform in the spelling of the Go toolchain, so that two platforms can be compared: `x86_64` becomes `amd64`,
 * `aarch64` and `arm64/v8` become `arm64`, `armhf` and plain `arm` become `arm/v7`. Features are sorted, each once.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const version = platform['os.version'] ?? '';
  const features = [...new Set(platform['os.features'])].sort();
  return {
    os: lookUp(osNames, os) ?? os,
    ...normalizeCpu(platform),
    ...(version === '' ? {} : { 'os.version': version }),
    ...(features.length === 0 ? {} : { 'os.features': features }),
  };
}
