import { RuntimeError } from '../errors.ts';

/** The unit of a container, and its group from the root of what the manager manages. */
export interface UnitPlace {
  readonly slice: string;
  readonly unit: string;
  readonly path: string;
}

function invalid(cgroupsPath: string, reason: string): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_CGROUP_INVALID',
    `config.json: $.linux.cgroupsPath ${reason}: ${JSON.stringify(cgroupsPath)}`,
    {
      jsonPath: '$.linux.cgroupsPath',
      path: cgroupsPath,
      hint: 'With cgroups managed by systemd it is slice:prefix:name, such as system.slice:oci:web.',
    },
  );
}

/** `a-b.slice` lies in `a.slice`, and the root slice `-.slice` is the root itself. */
function slicePath(slice: string, cgroupsPath: string): string {
  if (slice === '-.slice') return '';
  const name = slice.endsWith('.slice') ? slice.slice(0, -6) : '';
  const parts = name.split('-');
  if (parts.includes('') || !/^[A-Za-z0-9:_.\\-]+$/.test(name)) throw invalid(cgroupsPath, 'names no slice');
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}

/** Characters that unit names may not have, as systemd writes them (systemd.unit(5)). */
function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9:_.\\-]/g, (character) =>
    [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/**
 * Where systemd puts a container: `slice:prefix:name` becomes the scope `prefix-name.scope` of the slice. Throws
 * ERR_OCI_CGROUP_INVALID for anything else.
 */
export function unitPlace(options: {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
  readonly isUser: boolean;
}): UnitPlace {
  const { id, isUser } = options;
  const cgroupsPath = options.cgroupsPath || `:oci:${id}`;
  const [slicePart, prefix, name, ...others] = cgroupsPath.split(':');
  if (prefix === undefined || !name || others.length > 0)
    throw invalid(cgroupsPath, 'is not of the form slice:prefix:name');
  const slice = slicePart || (isUser ? 'user.slice' : 'system.slice');
  const base = slicePath(slice, cgroupsPath);
  if (name.endsWith('.slice')) return { slice, unit: name, path: slicePath(name, cgroupsPath) };
  const unit = escaped(`${prefix === '' ? '' : `${prefix}-`}${name}.scope`);
  return { slice, unit, path: `${base}/${unit}` };
}
