import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';

/** The absolute path of a bundle and the command in its configuration. Throws ERR_OCI_USAGE when there is no bundle. */
export async function bundleCommand(
  directory: string,
): Promise<{ readonly bundle: string; readonly command: readonly string[] }> {
  const { configSizeLimit, parseSpec } = await import('@ocijs/bundle/spec');
  const bundle = resolve(directory);
  await using file = await open(join(bundle, 'config.json'), 'r').catch((error: NodeJS.ErrnoException) => {
    throw usageError(
      `${directory} is not a bundle: its config.json cannot be read: ${systemMeaning(error)}`,
      'a bundle is what `oci unpack IMAGE DIR` makes: a directory with config.json and rootfs',
    );
  });
  const { size } = await file.stat();
  if (size > configSizeLimit)
    throw usageError(`config.json of ${directory} is larger than ${configSizeLimit} bytes`);
  return { bundle, command: parseSpec(await file.readFile()).process?.args ?? [] };
}
