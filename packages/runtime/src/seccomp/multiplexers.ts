import { permissiveness } from './actions.ts';
import type { Condition } from './conditions.ts';

interface Multiplexed {
  readonly through: 'socketcall' | 'ipc';
  /** The first argument of the multiplexer. */
  readonly code: number;
  /** The bits of it that the kernel looks at: above them `ipc` has a version. */
  readonly mask: bigint;
}

const sockets =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown ' +
  'setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg';

const ipc: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

const multiplexed: ReadonlyMap<string, Multiplexed> = new Map<string, Multiplexed>([
  ...sockets
    .split(' ')
    .map((name, index) => [name, { through: 'socketcall', code: index + 1, mask: 0xffff_ffffn }] as const),
  ...Object.entries(ipc).map(([name, code]) => [name, { through: 'ipc', code, mask: 0xffffn }] as const),
]);

/** A rule for the multiplexer that stands for a rule for one system call. */
export interface MultiplexerRule {
  readonly syscall: 'socketcall' | 'ipc';
  readonly condition: Condition;
}

/**
 * The second way to a system call, on the architectures that have `socketcall` and `ipc`. A filter cannot see the
 * real arguments there: a rule with conditions is therefore applied as a whole when it is stricter than the default
 * action, and not at all when it is more permissive (libseccomp applies it in both cases, and so allows too much).
 */
export function multiplexerRule(
  name: string,
  rule: { readonly action: number; readonly isConditional: boolean; readonly defaultAction: number },
): MultiplexerRule | undefined {
  const target = multiplexed.get(name);
  if (target === undefined) return undefined;
  const isStricter = permissiveness(rule.action) < permissiveness(rule.defaultAction);
  if (rule.isConditional && !isStricter) return undefined;
  const { through, code, mask } = target;
  return {
    syscall: through,
    condition: { index: 0, test: 'equal', isNegated: false, mask, value: BigInt(code) },
  };
}
