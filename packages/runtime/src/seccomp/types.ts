import type { Seccomp, SeccompArgument, SeccompSyscall } from '@ocijs/bundle/spec';

/**
 * A condition on an argument. A JavaScript number is exact up to 2^53 - 1 only: larger values are taken as bigint and
 * refused as number, because a rounded mask or flag would be another one than was written.
 */
export interface ProfileArgument extends Omit<SeccompArgument, 'value' | 'valueTwo'> {
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
}

/** A rule for system calls. */
export interface ProfileSyscall extends Omit<SeccompSyscall, 'args'> {
  readonly args?: readonly ProfileArgument[];
}

/** A profile as in `linux.seccomp` of runtime-spec, or one with exact large values. */
export interface SeccompProfile extends Omit<Seccomp, 'syscalls'> {
  readonly syscalls?: readonly ProfileSyscall[];
}

/** A filter as seccomp(2) takes it. */
export interface SeccompFilter {
  /** Instructions of struct sock_filter, in the byte order of the architecture; at most 4096 of 8 bytes. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_…. */
  readonly flags: number;
  /** Names in the profile that are no system call of any architecture: rules for them have no effect. */
  readonly unknownSyscalls: readonly string[];
  /** Who is to be asked, when the profile has rules with SCMP_ACT_NOTIFY. */
  readonly listener?: { readonly path: string; readonly metadata: string };
}
