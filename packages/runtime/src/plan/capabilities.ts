import type { Capabilities } from '@ocijs/bundle/spec';
import { conflict } from './context.ts';

/** The names of Linux' capabilities (capability.h), each at its number. */
const names: readonly string[] =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

/** The five sets, one bit a capability. */
export interface CapabilityMasks {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

/** The names of all capabilities, as `CAP_SYS_ADMIN`. */
export function capabilityNames(): string[] {
  return names.map((name) => `CAP_${name}`);
}

/** The bit of a capability such as `CAP_SYS_ADMIN`. */
export function capabilityBit(name: string): bigint | undefined {
  const number = name.startsWith('CAP_') ? names.indexOf(name.slice(4)) : -1;
  return number < 0 ? undefined : 1n << BigInt(number);
}

function mask(capabilities: Capabilities, set: keyof Capabilities): bigint {
  let sum = 0n;
  for (const [index, name] of (capabilities[set] ?? []).entries()) {
    const bit = capabilityBit(name);
    if (bit === undefined) {
      throw conflict(
        `$.process.capabilities.${set}[${index}]`,
        `is not a capability: ${JSON.stringify(name)}`,
      );
    }
    sum |= bit;
  }
  return sum;
}

/**
 * The capability sets as masks; no capabilities at all when none are given. The kernel keeps in the ambient set only what
 * is permitted and inheritable too; the rest is left out, as by other runtimes. Throws ERR_OCI_SPEC_CONFLICT for
 * an unknown name (runtime-spec `config.md`, "Linux Process").
 */
export function capabilityMasks(capabilities: Capabilities = {}): CapabilityMasks {
  const [bounding, effective, permitted, inheritable] = [
    mask(capabilities, 'bounding'),
    mask(capabilities, 'effective'),
    mask(capabilities, 'permitted'),
    mask(capabilities, 'inheritable'),
  ];
  const ambient = mask(capabilities, 'ambient') & permitted & inheritable;
  return { bounding, effective, permitted, inheritable, ambient };
}
