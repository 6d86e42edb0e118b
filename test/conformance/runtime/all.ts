import type { Requirement } from './requirement.ts';
import { cgroups } from './requirements/cgroups.ts';
import { create } from './requirements/create.ts';
import { features } from './requirements/features.ts';
import { hooks } from './requirements/hooks.ts';
import { linux } from './requirements/linux.ts';
import { mounts } from './requirements/mounts.ts';
import { operations } from './requirements/operations.ts';
import { processes } from './requirements/process.ts';
import { runc } from './requirements/runc.ts';
import { seccomp } from './requirements/seccomp.ts';
import { state } from './requirements/state.ts';

/** Every requirement, in the order of the specification's files. */
export const requirements: readonly Requirement[] = [
  ...state,
  ...create,
  ...operations,
  ...hooks,
  ...processes,
  ...mounts,
  ...linux,
  ...cgroups,
  ...seccomp,
  ...features,
  ...runc,
];
