import { readFile, stat } from 'node:fs/promises';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';

/** The text of a configuration file; undefined when there is none. Throws ERR_OCI_REGISTRY_CONFIG_INVALID. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > limits.configFileBytes) throw new Error(`larger than ${limits.configFileBytes} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** True when there is nothing at a path. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The error for a configuration that is there and cannot be read. */
export function unreadable(path: string, cause: unknown): RegistryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RegistryError(
    'ERR_OCI_REGISTRY_CONFIG_INVALID',
    `configuration ${path} cannot be read: ${reason}`,
    {
      path,
      cause,
    },
  );
}
