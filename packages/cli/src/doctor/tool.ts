import { access, constants, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatBytes } from '../render/bytes.ts';
import type { Check, Finding } from './check.ts';

export const nodeCheck: Check = async () => ({ name: 'node', verdict: 'ok', found: process.versions.node });

export const inflateCheck: Check = async () => {
  const { inflateEngine } = await import('@ocijs/image');
  const { name: engine, reason } = inflateEngine();
  const name = 'inflate engine';
  if (reason === undefined) return { name, verdict: 'ok', found: engine };
  return {
    name,
    verdict: 'limited',
    found: `${engine}: ${reason}`,
    remedy: 'unpacking is a little slower; build the optional zlib-sync with the Node that runs oci',
  };
};

/** The runtime's native init, where its package keeps it: built on this machine, or as published. */
export const initCheck: Check = async () => {
  const name = 'native init';
  const file = `oci-init-${process.arch}`;
  const entry = import.meta.resolve('@ocijs/runtime');
  for (const directory of ['../dist/native/', '../native/bin/']) {
    const path = fileURLToPath(new URL(directory + file, entry));
    if (await isAccessible(path, constants.X_OK)) return { name, verdict: 'ok', found: path };
  }
  const remedy = 'containers cannot run; install a C compiler (cc) and build @ocijs/runtime again';
  return { name, verdict: 'missing', found: `no ${file}`, remedy };
};

/** Space and access at the store; nothing is made when it is not there yet. */
export async function storeCheck(directory: string): Promise<Finding> {
  const name = 'store';
  const existing = await nearestExisting(resolve(directory));
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const found = `${directory}, ${formatBytes(free)} free`;
  if (!(await isAccessible(existing, constants.W_OK))) {
    const remedy = 'not writable: choose another store with --store or OCI_STORE';
    return { name, verdict: 'missing', found, remedy };
  }
  if (free > 1024 ** 3) return { name, verdict: 'ok', found };
  return {
    name,
    verdict: 'limited',
    found,
    remedy: 'make room, or choose another store with --store or OCI_STORE',
  };
}

async function nearestExisting(path: string): Promise<string> {
  const isLast = (await isAccessible(path, constants.F_OK)) || dirname(path) === path;
  return isLast ? path : nearestExisting(dirname(path));
}

function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
