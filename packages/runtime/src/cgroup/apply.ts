import { existsSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import type { CgroupDirectory } from './record.ts';
import { readCounter } from './stats/read.ts';
import type { CgroupWrite } from './writes.ts';

/** One form of a limit. */
type Form = Pick<CgroupWrite, 'file' | 'value'>;

/** The form of a limit that this kernel has a file for. */
function formInKernel(directory: CgroupDirectory, write: CgroupWrite): Form | undefined {
  const forms = [write, ...(write.alternatives ?? [])];
  const found = forms.find(({ file }) => existsSync(`${directory.path}/${file}`));
  if (found !== undefined || write.optional) return found;
  throw new RuntimeError(
    'ERR_OCI_CGROUP_MISSING',
    `${write.file} cannot be set: this kernel has no such limit`,
    {
      path: `${directory.path}/${write.file}`,
      actual: write.controller,
      hint: 'Remove the limit; the kernel may be built without it, or leave its controller to another hierarchy.',
    },
  );
}

function memoryHint({ path }: CgroupDirectory, { file }: Form): string | undefined {
  if (file !== 'memory.limit_in_bytes') return undefined;
  const [usage, peak] = ['usage_in_bytes', 'max_usage_in_bytes'].map((name) =>
    readCounter(`${path}/memory.${name}`),
  );
  return `The container uses ${usage} bytes now, and used ${peak} at most.`;
}

function failure(directory: CgroupDirectory, form: Form, cause: unknown): RuntimeError {
  const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown';
  const path = `${directory.path}/${form.file}`;
  const hint = errno === 'EBUSY' ? memoryHint(directory, form) : undefined;
  const message = `cannot set ${form.file} to ${JSON.stringify(form.value)}: ${errno}`;
  return new RuntimeError('ERR_OCI_CGROUP_DENIED', message, { path, errno, cause, ...(hint && { hint }) });
}

/**
 * Writes the limits that concern a directory. The kernel checks some values against each other (memory and swap, quota,
 * period and burst), and which has to come first depends on the old ones: what is refused is tried again after the
 * others. Throws ERR_OCI_CGROUP_MISSING and ERR_OCI_CGROUP_DENIED.
 */
export function applyWrites(directory: CgroupDirectory, writes: readonly CgroupWrite[]): void {
  let pending = writes.flatMap((write) => {
    const applies = directory.version === 'v2' || directory.controllers.includes(write.controller);
    return (applies && formInKernel(directory, write)) || [];
  });
  while (pending.length > 0) {
    const refused: { readonly form: Form; readonly error: unknown }[] = [];
    for (const form of pending) {
      try {
        writeFileSync(`${directory.path}/${form.file}`, form.value, { flag: 'r+' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw failure(directory, form, error);
        refused.push({ form, error });
      }
    }
    const [first] = refused;
    if (first !== undefined && refused.length === pending.length)
      throw failure(directory, first.form, first.error);
    pending = refused.map(({ form }) => form);
  }
}
