import { open } from 'node:fs/promises';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Largest environment file, in bytes. */
const fileLimit = 1024 * 1024;

/**
 * The variables that `--env-file` and `--env` set, in that order. A name without a value takes it from our own
 * environment, or is left out when it is not set there, as Docker does.
 */
export async function readEnvironment(
  flags: {
    readonly 'env-file'?: readonly string[] | undefined;
    readonly env?: readonly string[] | undefined;
  },
  own: Variables,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const path of flags['env-file'] ?? []) {
    lines.push(...parseEnvironmentFile(await readFileLimited(path), { path, own }));
  }
  return [...lines, ...(flags.env ?? []).flatMap((text) => variable(text, { own, where: '--env' }))];
}

/** Lines of `NAME=VALUE` or `NAME`; blank lines and those starting with # do not count; nothing is unquoted. */
export function parseEnvironmentFile(
  text: string,
  { path, own }: { readonly path: string; readonly own: Variables },
): readonly string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .flatMap((line, index) => {
      const trimmed = line.trimStart();
      if (trimmed === '' || trimmed.startsWith('#')) return [];
      return variable(trimmed, { own, where: `${path}:${index + 1}` });
    });
}

function variable(
  text: string,
  { own, where }: { readonly own: Variables; readonly where: string },
): readonly string[] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '' || /\s/.test(name) || text.includes('\0')) {
    throw usageError(`${where}: ${JSON.stringify(text)} is not NAME=VALUE or NAME`);
  }
  if (equals >= 0) return [text];
  const value = own[name];
  return value === undefined ? [] : [`${name}=${value}`];
}

/** Reads a small file of lines. Throws ERR_OCI_USAGE. */
export async function readFileLimited(path: string): Promise<string> {
  await using file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw usageError(`environment file ${path} cannot be read: ${systemMeaning(cause)}`);
  });
  const { size } = await file.stat();
  if (size > fileLimit) throw usageError(`environment file ${path} is larger than ${fileLimit} bytes`);
  return file.readFile('utf8');
}
