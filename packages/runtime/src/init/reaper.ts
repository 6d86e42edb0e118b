import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { nativeProgram } from './binary.ts';

/** Where a container has its reaper: on its own `/dev`, so that no image is changed by it. */
const place = '/dev/init';

/** The path of the reaper on this host. Throws ERR_OCI_INIT_MISSING, ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED. */
export function reaperBinary(): string {
  return nativeProgram('oci-reaper');
}

/**
 * The configuration with a reaper as process 1: it starts the container's process, passes signals on, waits for processes whose
 * parents are gone, and ends as that process ends. `program` is a copy of {@link reaperBinary} for this container alone:
 * it is mounted into it.
 */
export function withReaper(spec: RuntimeSpec, program: string): RuntimeSpec {
  const { process } = spec;
  if (process === undefined) return spec;
  const mount = {
    destination: place,
    type: 'bind',
    source: program,
    options: ['bind', 'ro', 'nosuid', 'nodev', 'rprivate'],
  };
  return {
    ...spec,
    mounts: [...(spec.mounts ?? []), mount],
    process: { ...process, args: [place, ...(process.args ?? [])] },
  };
}
