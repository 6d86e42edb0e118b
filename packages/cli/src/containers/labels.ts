import { usageError } from '../errors.ts';
import { parseEnvironmentFile, readFileLimited } from '../run/environment.ts';

/** The labels of `--label-file` and `--label`, in that order; one without a value is empty. Throws ERR_OCI_USAGE. */
export async function readLabels(flags: {
  readonly label?: readonly string[] | undefined;
  readonly 'label-file'?: readonly string[] | undefined;
}): Promise<Readonly<Record<string, string>>> {
  const lines: string[] = [];
  for (const path of flags['label-file'] ?? []) {
    lines.push(...parseEnvironmentFile(await readFileLimited(path), { path, own: {} }));
  }
  const labels = [...lines, ...(flags.label ?? [])].map((text) => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === '') throw usageError(`--label ${JSON.stringify(text)} is not NAME[=VALUE]`);
    return [name, equals < 0 ? '' : text.slice(equals + 1)] as const;
  });
  return Object.fromEntries(labels);
}
