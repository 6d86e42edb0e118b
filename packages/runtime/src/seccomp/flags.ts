import { profileError } from './profile-error.ts';

/** SECCOMP_FILTER_FLAG_… of linux/seccomp.h. */
const bits = {
  tsync: 1,
  log: 2,
  specAllow: 4,
  newListener: 8,
  tsyncEsrch: 16,
  waitKillableRecv: 32,
} as const;

const known: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: bits.tsync,
  SECCOMP_FILTER_FLAG_LOG: bits.log,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: bits.specAllow,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: bits.waitKillableRecv,
};

/** What the init has no use for: it has one thread that a filter is for. runc leaves these out as well. */
export function withoutThreads(flags: number): number {
  return flags & ~(bits.tsync | bits.tsyncEsrch);
}

/** The names of all flags. */
export const flagNames: readonly string[] = Object.keys(known);

/**
 * The flags for seccomp(2). Without a list it is SPEC_ALLOW, as in runc. WAIT_KILLABLE_RECV is about waiting for a
 * listener: without one the kernel would refuse it, so it is left out.
 */
export function filterFlags(names: readonly string[] | undefined, hasListener: boolean): number {
  let flags = names === undefined ? bits.specAllow : 0;
  for (const [index, name] of (names ?? []).entries()) {
    const bit = Object.hasOwn(known, name) ? known[name] : undefined;
    if (bit === undefined) {
      throw profileError(`$.linux.seccomp.flags[${index}]`, `${JSON.stringify(name)} is not known`);
    }
    flags |= bit;
  }
  if (!hasListener) return flags & ~bits.waitKillableRecv;
  // The result of seccomp(2) cannot be both a listener and the thread that was in the way.
  return flags | bits.newListener | ((flags & bits.tsync) === 0 ? 0 : bits.tsyncEsrch);
}
