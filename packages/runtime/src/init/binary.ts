import { accessSync, closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RuntimeError } from '../errors.ts';

type NativeName = 'oci-init' | 'oci-reaper';

/** Where a native program is, seen from `src/init/` and `dist/init/` alike: built here, or as published. */
function candidates(program: NativeName): string[] {
  const name = `${program}-${process.arch}`;
  return ['../../dist/native/', '../../native/bin/'].map((directory) =>
    fileURLToPath(new URL(directory + name, import.meta.url)),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // The next place, or the error below, follows.
    return false;
  }
}

let found: string | undefined;
let sealed: number | undefined;

/**
 * Keeps the sealed copy of itself that a monitor runs from: the next monitors start from it and need none of their own.
 * An ordinary user may not open it; then every monitor makes a copy.
 */
export function keepSealedCopy(pid: number): void {
  if (sealed !== undefined || process.geteuid?.() !== 0) return;
  try {
    const fd = openSync(`/proc/${pid}/exe`, constants.O_RDONLY);
    if (readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:')) sealed = fd;
    else closeSync(fd);
  } catch {
    // The monitor has ended already: another one will do.
  }
}

/** The path of a native program. Throws ERR_OCI_INIT_MISSING, ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED. */
export function nativeProgram(program: NativeName): string {
  if (process.platform !== 'linux') {
    throw new RuntimeError('ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED', 'containers need Linux');
  }
  const path = candidates(program).find(isExecutable);
  if (path !== undefined) return path;
  throw new RuntimeError('ERR_OCI_INIT_MISSING', `${program} for ${process.arch} is missing`, {
    path: candidates(program)[0] ?? '',
    hint: 'Install a C compiler (cc) and run `npm run native -w @ocijs/runtime`.',
  });
}

/**
 * The path of the native init, for a child that gets other descriptors below `usedFds`. Throws what {@link nativeProgram} throws.
 */
export function initBinary(usedFds: number): string {
  if (process.platform === 'linux' && sealed !== undefined && sealed >= usedFds)
    return `/proc/self/fd/${sealed}`;
  found ??= nativeProgram('oci-init');
  return found;
}
