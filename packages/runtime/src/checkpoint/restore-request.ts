import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { CgroupRecord } from '../cgroup/index.ts';
import type { ExternalMount } from './mounts.ts';
import {
  type CriuSettings,
  commonOptions,
  externalNamespaces,
  inheritedFd,
  joinedNamespaces,
} from './options.ts';
import { criuFds, encodeRequest, message } from './request.ts';

/** What a restored container is made of besides its images. */
export interface RestoreParts {
  readonly spec: RuntimeSpec;
  readonly rootfs: string;
  /** Where the standard streams led. */
  readonly descriptors: readonly string[];
  readonly mounts: readonly ExternalMount[];
  readonly cgroup: CgroupRecord | undefined;
  readonly logFile: string;
}

/** What criu is asked for to restore a container, and the files that it inherits for it. */
export function restoreRequest(
  settings: CriuSettings & { readonly lsmProfile?: string | undefined },
  parts: RestoreParts,
): { readonly request: Uint8Array; readonly inherited: readonly string[] } {
  const { descriptors, mounts, cgroup } = parts;
  const namespaces = joinedNamespaces(parts.spec);
  const streams = descriptors.flatMap((target, fd) =>
    target.startsWith('pipe:') ? [inheritedFd(target, fd)] : [],
  );
  const request = encodeRequest('restore', {
    ...commonOptions(settings, parts),
    notify: true,
    sibling: true,
    external: mounts.map(({ path, source }) => `mnt[${path}]:${source}`),
    inherited: [
      ...streams,
      ...namespaces.map(({ type }, index) =>
        inheritedFd(externalNamespaces[type], criuFds.inherited + index),
      ),
    ],
    // The container may have another name now, or another place.
    cgroupRoot: cgroup === undefined ? undefined : [message([2, cgroup.path])],
    securityProfile: settings.lsmProfile,
  });
  return { request, inherited: namespaces.map(({ path }) => path) };
}
