import { type Capabilities, linuxCapabilities, type RuntimeSpec } from '@ocijs/bundle/spec';

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
  return [...linuxCapabilities];
}

/** The bit of a capability such as `CAP_SYS_ADMIN`. */
export function capabilityBit(name: string): bigint | undefined {
  const number = linuxCapabilities.indexOf(name);
  return number < 0 ? undefined : 1n << BigInt(number);
}

/** Every capability that this runtime has a name for. */
export const everyCapability: bigint = (1n << BigInt(linuxCapabilities.length)) - 1n;

const sets = ['bounding', 'effective', 'permitted', 'inheritable', 'ambient'] as const;

function mask(names: readonly string[] | undefined, grantable: bigint): bigint {
  return (names ?? []).reduce((sum, name) => sum | (capabilityBit(name) ?? 0n), 0n) & grantable;
}

/**
 * The capability sets as masks; no capabilities at all when none are given. What the kernel has no name for or may not be
 * granted is left out (runtime-spec `config.md`, "Linux Process"), see {@link capabilityWarnings}. The kernel keeps in the
 * ambient set only what is permitted and inheritable too.
 */
export function capabilityMasks(
  capabilities: Capabilities = {},
  grantable: bigint = everyCapability,
): CapabilityMasks {
  const [bounding = 0n, effective = 0n, permitted = 0n, inheritable = 0n, ambient = 0n] = sets.map((set) =>
    mask(capabilities[set], grantable),
  );
  return { bounding, effective, permitted, inheritable, ambient: ambient & permitted & inheritable };
}

/** Whether a process of a container may be given what its creator was not: in a user namespace, all capabilities. */
export function grantableCapabilities(spec: RuntimeSpec, creator: bigint): bigint {
  const isMapped = spec.linux?.namespaces?.some(({ type }) => type === 'user') ?? false;
  return isMapped ? everyCapability : creator;
}

/** What a configuration asks for and does not get, one sentence each; the specification wants it to be no error. */
export function capabilityWarnings(capabilities: Capabilities = {}, grantable: bigint): string[] {
  const asked = new Set(sets.flatMap((set) => capabilities[set] ?? []));
  const left = [...asked].filter((name) => ((capabilityBit(name) ?? 0n) & grantable) === 0n);
  const { ambient } = capabilityMasks(capabilities, grantable);
  const unraised = (capabilities.ambient ?? []).filter(
    (name) => !left.includes(name) && ((capabilityBit(name) ?? 0n) & ambient) === 0n,
  );
  return [
    ...(left.length === 0 ? [] : [`ignoring unknown or unavailable capabilities: ${left.join(', ')}`]),
    ...unraised.map((name) => `can't raise ambient capability ${name}: it is not permitted and inheritable`),
  ];
}
