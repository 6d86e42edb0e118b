import type { Capabilities } from './types.ts';

/** The capabilities that Docker gives to a container's root user. */
export const dockerCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

const minimalCapabilities: readonly string[] = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

/** The three capabilities of `runc spec`, for root: ambient ones would have to be inheritable too (CVE-2022-29162). */
export function defaultCapabilities(): Capabilities {
  return {
    bounding: [...minimalCapabilities],
    effective: [...minimalCapabilities],
    permitted: [...minimalCapabilities],
  };
}

/** Capability sets for a process of an image: the named ones for root, none for any other user. */
export function imageCapabilities(names: readonly string[]): Capabilities {
  return { bounding: [...names], effective: [...names], permitted: [...names] };
}
