import { accessSync, constants, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RuntimeError } from '../errors.ts';

/** Where criu is looked for. */
const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The program criu. Throws ERR_OCI_CRIU_MISSING. */
export function findCriu(given: string | undefined): string {
  const candidates = given ? [resolve(given)] : directories.map((directory) => join(directory, 'criu'));
  for (const path of candidates.filter(existsSync)) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not for us: the next place.
    }
  }
  throw new RuntimeError('ERR_OCI_CRIU_MISSING', `criu is not installed${given ? `: ${given}` : ''}`, {
    ...(given && { path: given }),
    hint: 'Install the package criu, or name the program in $OCI_CRIU.',
  });
}
