import { chmod, writeFile } from 'node:fs/promises';
import { runtimeProgram } from '../kit/oci.ts';

/** Makes an executable `oci-runtime` that runs with the Node of the tests, whatever the caller leaves of PATH. */
export async function runtimeWrapper(directory: string): Promise<string> {
  const path = `${directory}/oci-runtime`;
  await writeFile(path, `#!/bin/sh\nexec '${process.execPath}' '${runtimeProgram}' "$@"\n`);
  await chmod(path, 0o755);
  return path;
}
