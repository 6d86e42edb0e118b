import { constants } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isAccessible } from './access.ts';
import type { Check } from './check.ts';

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
