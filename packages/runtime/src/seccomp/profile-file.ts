import { release } from 'node:os';
import { requireValidSpec, type Seccomp } from '@ocijs/bundle/spec';
import { parseJson } from '@ocijs/image';
import { seccompProfileSizeLimit } from '../limits.ts';
import { nativeArchitecture } from './architectures.ts';
import { type DefaultProfileOptions, goProcessor } from './default-profile.ts';
import { type DockerCondition, isInForce } from './docker-rules.ts';
import { profileError } from './profile-error.ts';

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown, jsonPath: string): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw profileError(jsonPath, 'must be an object');
  return value as Fields;
}

function list(value: unknown, jsonPath: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw profileError(jsonPath, 'must be a list');
  return value;
}

function condition(value: unknown, jsonPath: string): DockerCondition {
  const { caps, arches, minKernel } = fields(value, jsonPath);
  const texts = (items: unknown, name: string): string[] => list(items, `${jsonPath}.${name}`).map(String);
  return {
    ...(caps !== undefined && caps !== null && { capabilities: texts(caps, 'caps') }),
    ...(arches !== undefined && arches !== null && { architectures: texts(arches, 'arches') }),
    ...(typeof minKernel === 'string' && minKernel !== '' && { minKernel }),
  };
}

/** Only fields that are set: Go's tools write null for the others. */
function present(value: Fields, names: readonly string[]): Fields {
  const entries = names.map((name) => [name, value[name]] as const);
  return Object.fromEntries(entries.filter(([, member]) => member !== undefined && member !== null));
}

function architecturesOf(profile: Fields, native: string | undefined): Fields {
  for (const [index, entry] of list(profile['archMap'], '$.archMap').entries()) {
    const { architecture, subArchitectures } = fields(entry, `$.archMap[${index}]`);
    if (architecture !== native) continue;
    return { architectures: [native, ...list(subArchitectures, `$.archMap[${index}].subArchitectures`)] };
  }
  return present(profile, ['architectures']);
}

/** A rounded value must not be written to a configuration, where it would look exact. */
function requireExact({ syscalls = [] }: Seccomp): void {
  for (const { names, args = [] } of syscalls) {
    for (const { value, valueTwo = 0 } of args) {
      if (Number.isSafeInteger(value) && Number.isSafeInteger(valueTwo)) continue;
      throw profileError(
        '$.syscalls',
        `compares an argument of ${names.join(', ')} with a number above 2^53 - 1`,
        'Put the profile into the config.json of a bundle, where such values are read exactly.',
      );
    }
  }
}

/**
 * Reads a profile as given to `docker run --security-opt seccomp=FILE`: in Docker's form, whose rules depend on
 * capabilities (the container's bounding set), processor and kernel, or in that of the runtime specification. At most
 * 1 MiB. Throws ERR_OCI_JSON_INVALID or ERR_OCI_LIMIT_EXCEEDED of `@ocijs/image`, ERR_OCI_SPEC_INVALID of
 * `@ocijs/bundle`, and ERR_OCI_SPEC_UNSUPPORTED.
 */
export function readSeccompProfile(
  raw: Uint8Array,
  capabilities: readonly string[],
  { architecture = process.arch, kernel = release() }: DefaultProfileOptions = {},
): Seccomp {
  const profile = fields(parseJson(raw, { limit: seccompProfileSizeLimit, what: 'seccomp profile' }), '$');
  const facts = { capabilities: new Set(capabilities), processor: goProcessor(architecture), kernel };
  const rules = list(profile['syscalls'], '$.syscalls').flatMap((entry, index) => {
    const jsonPath = `$.syscalls[${index}]`;
    const rule = fields(entry, jsonPath);
    const includes = condition(rule['includes'], `${jsonPath}.includes`);
    const excludes = condition(rule['excludes'], `${jsonPath}.excludes`);
    if (!isInForce({ includes, excludes }, facts)) return [];
    const names = rule['names'] ?? (rule['name'] === undefined ? undefined : [rule['name']]);
    return [{ names, ...present(rule, ['action', 'errnoRet', 'args']) }];
  });
  const seccomp = {
    ...present(profile, ['defaultAction', 'defaultErrnoRet', 'flags', 'listenerPath', 'listenerMetadata']),
    ...architecturesOf(profile, nativeArchitecture(architecture)?.name),
    syscalls: rules,
  };
  const spec = requireValidSpec({ ociVersion: '1.0.2', linux: { seccomp } });
  const result = spec.linux?.seccomp as Seccomp;
  requireExact(result);
  return result;
}
