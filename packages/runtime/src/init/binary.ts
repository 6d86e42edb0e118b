import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RuntimeError } from '../errors.ts';

/** Where the native init is, seen from `src/init/` and `dist/init/` alike: built here, or as published. */
function candidates(): string[] {
  const name = `oci-init-${process.arch}`;
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

/** The path of the native init. Throws ERR_OCI_INIT_MISSING, ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED. */
export function initBinary(): string {
  if (process.platform !== 'linux') {
    throw new RuntimeError('ERR_OCI_RUNTIME_PLATFORM_UNSUPPORTED', 'containers need Linux');
  }
  found ??= candidates().find(isExecutable);
  if (found !== undefined) return found;
  throw new RuntimeError('ERR_OCI_INIT_MISSING', `the native init for ${process.arch} is missing`, {
    path: candidates()[0] ?? '',
    hint: 'Install a C compiler (cc) and run `npm run native -w @ocijs/runtime`.',
  });
}
