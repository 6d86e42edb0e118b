import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NetworkHelper } from '@ocijs/runtime';
import { codeOf } from '../exit-codes.ts';
import type { NetworkChoice } from './choice.ts';

/**
 * What to say of a network that nobody chose: once for each store, and again when it becomes another one. Undefined when
 * it was said.
 */
export async function newsOfDefault(
  storeDirectory: string,
  choice: NetworkChoice,
  helpers: readonly NetworkHelper[],
): Promise<string | undefined> {
  const directory = join(storeDirectory, 'containers');
  const file = join(directory, 'network');
  if ((await readIfThere(file)) === choice.mode) return undefined;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(file, choice.mode, { mode: 0o600 });
  const other = 'choose another with --network or $OCI_NETWORK';
  if (choice.mode !== 'none') return `network: ${choice.mode}, the best that this host has; ${other}`;
  const isRoot = process.geteuid?.() === 0;
  const nearest = helpers.find(({ mode }) => (mode === 'bridge') === isRoot);
  const reason = nearest?.reason === undefined ? '' : ` (${nearest.reason})`;
  return `network: none, loopback only${reason}; see \`oci doctor\``;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
