import { ImageError } from '../errors.ts';
import type { Platform } from '../platform.ts';
import { hostPlatform } from './host.ts';
import { normalizeCpu, normalizePlatform } from './normalize.ts';

const knownSystems = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64 wasm'.split(
    ' ',
  ),
);
const systemGrammar = /^(?<os>[A-Za-z0-9_-]+)(?:\((?<version>[\w.%-]*)(?<features>(?:\+[\w.%-]+)*)\))?$/;
const partGrammar = /^[\w.-]+$/;
const longest = 255;

function invalid(text: string, problem: string, cause?: unknown): ImageError {
  const shown = JSON.stringify(text.slice(0, longest));
  return new ImageError('ERR_OCI_PLATFORM_INVALID', `platform ${shown} is invalid: ${problem}`, {
    cause,
    hint: 'a platform looks like linux/amd64, linux/arm/v7 or windows(10.0.20348)/amd64',
  });
}

type System = Pick<Platform, 'os' | 'os.version' | 'os.features'>;

function parseSystem(text: string, part: string): System {
  const groups = systemGrammar.exec(part)?.groups;
  if (groups === undefined) throw invalid(text, `${JSON.stringify(part)} is not an operating system`);
  const { os = '', version = '', features = '' } = groups;
  const decode = (option: string): string => {
    try {
      return decodeURIComponent(option);
    } catch (cause) {
      throw invalid(text, `${JSON.stringify(option)} is not percent-encoded UTF-8`, cause);
    }
  };
  return {
    os,
    ...(version === '' ? {} : { 'os.version': decode(version) }),
    ...(features === '' ? {} : { 'os.features': features.slice(1).split('+').map(decode) }),
  };
}

/** The host's architecture for a system alone, the host's system for an architecture alone. */
function completeFromHost(text: string, system: System): Platform {
  const host = hostPlatform();
  const { os, ...options } = normalizePlatform({ ...system, architecture: host.architecture });
  const variant = host.variant === undefined || host.variant === 'v7' ? {} : { variant: host.variant };
  if (knownSystems.has(os)) return { ...options, os, architecture: host.architecture, ...variant };
  const cpu = impliedCpu(text);
  if (knownArchitectures.has(cpu.architecture)) return { os: host.os, ...cpu };
  throw invalid(text, 'neither a known operating system nor a known architecture');
}

/** What an architecture name alone stands for; arm is v7 without saying so. */
function impliedCpu(name: string): Pick<Platform, 'architecture' | 'variant'> {
  const cpu = normalizeCpu({ architecture: name });
  return cpu.architecture === 'arm' && cpu.variant === 'v7' ? { architecture: 'arm' } : cpu;
}

/**
 * Reads `os[(version+feature…)]/architecture[/variant]`, or an operating system or architecture alone, which this
 * machine completes. Spellings are normalised, an explicit variant stays. Throws ERR_OCI_PLATFORM_INVALID.
 */
export function parsePlatform(text: string): Platform {
  if (text.length > longest) throw invalid(text, `longer than ${longest} characters`);
  const [first = '', architecture, variant, ...more] = text.split('/');
  const system = parseSystem(text, first);
  for (const part of [architecture, variant])
    if (part !== undefined && !partGrammar.test(part))
      throw invalid(text, `${JSON.stringify(part)} is not an architecture or variant`);
  if (more.length > 0) throw invalid(text, 'more than three parts');
  if (architecture === undefined) return completeFromHost(text, system);
  const normal = normalizePlatform({ ...system, architecture });
  const { architecture: _name, variant: _variant, ...normalSystem } = normal;
  if (variant === undefined) return { ...normalSystem, ...impliedCpu(architecture) };
  const cpu = normalizeCpu({ architecture, variant });
  // Whoever writes arm64/v8 wants to see it again.
  return cpu.architecture === 'arm64' && cpu.variant === undefined
    ? { ...normalSystem, architecture: 'arm64', variant: 'v8' }
    : { ...normalSystem, ...cpu };
}

const percentEncode = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

const encodeOption = (option: string): string => option.replace(/[^\w.-]/gu, percentEncode);
// A platform comes out of an index that anyone may have written, and goes to a terminal.
const encodePart = (part: string): string => part.replace(/[^!-~]/gu, percentEncode);

/** Writes a platform as {@link parsePlatform} reads it; nothing that could confuse a terminal is left as it is. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant, 'os.version': version = '', 'os.features': features = [] } = platform;
  const options = [version, ...features.toSorted()].map(encodeOption).join('+');
  const system = options === '' ? encodePart(os) : `${encodePart(os)}(${options})`;
  return [system, ...[architecture, variant ?? ''].filter((part) => part !== '').map(encodePart)].join('/');
}
