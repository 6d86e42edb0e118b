import { arch, endianness, platform, release } from 'node:os';
import process from 'node:process';
import type { Platform } from '../platform.ts';

const osNames: Readonly<Record<string, string>> = {
  win32: 'windows',
  sunos: 'solaris',
  // Containers on macOS and Android run in Linux: images for the host's own system do not exist.
  darwin: 'linux',
  android: 'linux',
};

const architectureNames: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: endianness() === 'LE' ? 'ppc64le' : 'ppc64',
  mipsel: 'mipsle',
};

function armVariant(): string {
  const variables = process.config.variables as { readonly arm_version?: string };
  return `v${variables.arm_version ?? '7'}`;
}

/** The platform of the images that run on this machine: Linux images on macOS, of the machine's architecture. */
export function hostPlatform(): Platform {
  const os = osNames[platform()] ?? platform();
  const architecture = architectureNames[arch()] ?? arch();
  return {
    os,
    architecture,
    ...(architecture === 'arm' ? { variant: armVariant() } : {}),
    ...(os === 'windows' ? { 'os.version': release() } : {}),
  };
}
