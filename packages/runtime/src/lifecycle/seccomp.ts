import type { OnEvent } from '@ocijs/image';
import { RuntimeError } from '../errors.ts';
import { keptSeccompFilters } from '../limits.ts';
import { withoutThreads } from '../seccomp/flags.ts';
import type { SeccompFilter, SeccompProfile } from '../seccomp/types.ts';

/** What the init loads. */
export interface Filter {
  readonly program: Uint8Array;
  readonly flags: number;
}

/** Of a classic BPF program, in bytes. */
const instructionSize = 8;

const kept = new Map<string, SeccompFilter>();

/** Programs that launch many containers mostly do so with the same profile. */
async function compiled(profile: SeccompProfile): Promise<SeccompFilter> {
  const key = JSON.stringify(profile, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
  const known = kept.get(key);
  if (known !== undefined) return known;
  const { compileSeccomp } = await import('../seccomp/compile.ts');
  const filter = compileSeccomp(profile);
  if (kept.size >= keptSeccompFilters) kept.clear();
  kept.set(key, filter);
  return filter;
}

/**
 * The filter for a profile. The compiler and its tables are only loaded when there is one. Throws
 * ERR_OCI_SPEC_UNSUPPORTED for a profile that cannot be compiled, ERR_OCI_SPEC_CONFLICT for one whose agent is not named;
 * names that are no system call are a warning.
 */
export async function compileFilter(
  profile: SeccompProfile | undefined,
  onEvent: OnEvent | undefined,
): Promise<Filter | undefined> {
  if (profile === undefined) return undefined;
  const { program, flags, listener, unknownSyscalls } = await compiled(profile);
  if (listener?.path === '') {
    const jsonPath = '$.linux.seccomp.listenerPath';
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      `config.json: ${jsonPath} is needed for SCMP_ACT_NOTIFY`,
      {
        jsonPath,
        hint: 'Name the socket of an agent that answers for the container, or use another action, such as SCMP_ACT_ERRNO.',
      },
    );
  }
  if (unknownSyscalls.length > 0) {
    const message = `config.json: $.linux.seccomp names unknown system calls: ${unknownSyscalls.join(', ')}`;
    onEvent?.({ type: 'warning', code: 'ERR_OCI_SPEC_UNSUPPORTED', message });
  }
  const filter = { program, flags: withoutThreads(flags) };
  onEvent?.({ type: 'seccomp-filter', flags: filter.flags, instructions: program.length / instructionSize });
  return filter;
}
