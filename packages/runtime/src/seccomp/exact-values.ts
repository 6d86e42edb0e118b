import type { Seccomp } from '@ocijs/bundle/spec';
import type { ProfileArgument, ProfileSyscall, SeccompProfile } from './types.ts';

interface RawArgument {
  readonly value?: unknown;
  readonly valueTwo?: unknown;
}

interface RawConfig {
  readonly linux?: {
    readonly seccomp?: { readonly syscalls?: readonly { readonly args?: readonly RawArgument[] | null }[] };
  };
}

function isRounded(value: number | undefined): boolean {
  return value !== undefined && !Number.isSafeInteger(value);
}

/** Integers that a JavaScript number cannot hold become what the text says. */
function reviveInteger(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isLarge = typeof value === 'number' && !Number.isSafeInteger(value);
  return isLarge && source !== undefined && /^\d{1,20}$/.test(source) ? BigInt(source) : value;
}

function bigintOr(raw: unknown, value: number): number | bigint {
  return typeof raw === 'bigint' ? raw : value;
}

function exactArgument(argument: ProfileArgument, raw: RawArgument | undefined): ProfileArgument {
  const { value, valueTwo } = argument;
  return {
    ...argument,
    value: bigintOr(raw?.value, value as number),
    ...(valueTwo !== undefined && { valueTwo: bigintOr(raw?.valueTwo, valueTwo as number) }),
  };
}

/**
 * The seccomp profile of a configuration with the 64-bit values that its text has: parsed as JavaScript numbers, those
 * from 2^53 on are rounded, and 2^64 - 1 (an argument of -1) to no valid value at all. `raw` is the text that
 * `profile` was parsed from.
 */
export function exactProfile(profile: Seccomp, raw: Uint8Array): SeccompProfile {
  const hasRounded = profile.syscalls?.some(({ args }) =>
    args?.some(({ value, valueTwo }) => isRounded(value) || isRounded(valueTwo)),
  );
  if (!hasRounded) return profile;
  const config = JSON.parse(new TextDecoder().decode(raw), reviveInteger) as RawConfig;
  const rawSyscalls = config.linux?.seccomp?.syscalls ?? [];
  return {
    ...profile,
    syscalls: (profile.syscalls ?? []).map((entry, index): ProfileSyscall => {
      const { args, ...rest } = entry;
      const rawArguments = rawSyscalls[index]?.args ?? [];
      return args === undefined
        ? rest
        : {
            ...rest,
            args: args.map((argument, position) => exactArgument(argument, rawArguments[position])),
          };
    }),
  };
}
