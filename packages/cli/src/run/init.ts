import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeSpec } from '@ocijs/bundle';
import type { RunFlagValues } from './flags.ts';

/** In the container's directory: a copy, so that nothing in a container can change what others run. */
const fileName = 'init';

/** With `--init`, puts the reaper in front of the command; it is mounted from the container's directory. */
export async function withInit(
  spec: RuntimeSpec,
  { directory, flags }: { readonly directory: string; readonly flags: Pick<RunFlagValues, 'init'> },
): Promise<RuntimeSpec> {
  if (!flags.init) return spec;
  const { reaperBinary, withReaper } = await import('@ocijs/runtime');
  const copy = join(directory, fileName);
  await copyFile(reaperBinary(), copy);
  return withReaper(spec, copy);
}
