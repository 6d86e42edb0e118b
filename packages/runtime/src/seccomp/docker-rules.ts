import type { SeccompArgument } from '@ocijs/bundle/spec';

/** When a rule of Docker's profile is in force. */
export interface DockerCondition {
  /** `includes`: all of them are there; `excludes`: one of them is. */
  readonly capabilities?: readonly string[];
  /** Processors, as Go names them: one of them is this one. */
  readonly architectures?: readonly string[];
  /** The oldest kernel, such as `4.8`. */
  readonly minKernel?: string;
}

/** A rule of Docker's profile. */
export interface DockerRule {
  /** Separated by white space. */
  readonly names: string;
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
  readonly includes?: DockerCondition;
  readonly excludes?: DockerCondition;
}

/** A profile in Docker's own form, which depends on the container and the host. */
export interface DockerProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  /** For each processor the other architectures that its containers may run. */
  readonly architectures: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly DockerRule[];
}

/** What decides which rules are in force. */
export interface DockerFacts {
  readonly capabilities: ReadonlySet<string>;
  /** As Go names it. */
  readonly processor: string;
  /** The kernel's release, such as `6.1.0-28-amd64`. */
  readonly kernel: string;
}

function numbers(release: string): [number, number] {
  const [major = 0, minor = 0] = release.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  return [major, minor];
}

function isAtLeast(release: string, least: string): boolean {
  const [major, minor] = numbers(release);
  const [leastMajor, leastMinor] = numbers(least);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** True for a rule whose `includes` all hold and of whose `excludes` none does, as in Docker. */
export function isInForce(
  { includes = {}, excludes = {} }: Pick<DockerRule, 'includes' | 'excludes'>,
  facts: DockerFacts,
): boolean {
  const { capabilities, processor, kernel } = facts;
  if (excludes.architectures?.includes(processor)) return false;
  if (excludes.capabilities?.some((name) => capabilities.has(name))) return false;
  if (excludes.minKernel !== undefined && isAtLeast(kernel, excludes.minKernel)) return false;
  if (includes.architectures !== undefined && !includes.architectures.includes(processor)) return false;
  if (includes.capabilities?.some((name) => !capabilities.has(name))) return false;
  return includes.minKernel === undefined || isAtLeast(kernel, includes.minKernel);
}
