import type { IdMapping, Linux, NamespaceType, RuntimeSpec, User } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { conflict } from '../plan/context.ts';

function unsupported(jsonPath: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', `config.json: ${jsonPath} is not supported`, {
    jsonPath,
    hint: 'Remove it from the configuration, or use another runtime for this container.',
  });
}

/** True for what says something: empty texts, lists, objects and zeros are what tools write for "not set". */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object') return Object.values(value).some(isSet);
  return true;
}

function isMapped(id: number, mappings: readonly IdMapping[]): boolean {
  return mappings.some((map) => id >= map.containerID && id < map.containerID + map.size);
}

function unmapped(jsonPath: string, what: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_CONFLICT', `config.json: ${jsonPath}: ${what} is not mapped`, {
    jsonPath,
    hint: 'Map more ids (a range of /etc/subuid and /etc/subgid, with --uid-map and --gid-map), or run as user 0.',
  });
}

/**
 * Checks that a process of a container with these namespaces can be the user that it is to be. Throws
 * ERR_OCI_SPEC_CONFLICT.
 */
export function checkUser(user: User, linux: Linux): void {
  const namespace = linux.namespaces?.find(({ type }) => type === 'user');
  // Of a namespace that is joined by its path, only the kernel knows the maps.
  if (namespace === undefined || namespace.path) return;
  if (!isMapped(user.uid, linux.uidMappings ?? [])) {
    throw unmapped('$.process.user.uid', `user ${user.uid}`);
  }
  for (const gid of [user.gid, ...(user.additionalGids ?? [])]) {
    if (!isMapped(gid, linux.gidMappings ?? [])) throw unmapped('$.process.user', `group ${gid}`);
  }
}

function checkUserNamespace(spec: RuntimeSpec, linux: Linux): void {
  const namespace = linux.namespaces?.find(({ type }) => type === 'user');
  const uidMappings = linux.uidMappings ?? [];
  const gidMappings = linux.gidMappings ?? [];
  const isMapping = uidMappings.length + gidMappings.length > 0;
  if (namespace === undefined) {
    if (isMapping) throw conflict('$.linux.uidMappings', 'are given without a user namespace');
    return;
  }
  if (namespace.path) return;
  if (uidMappings.length === 0) throw conflict('$.linux.uidMappings', 'are needed for a user namespace');
  if (gidMappings.length === 0) throw conflict('$.linux.gidMappings', 'are needed for a user namespace');
  if (spec.process !== undefined) checkUser(spec.process.user, linux);
}

function checkNamespaces(spec: RuntimeSpec, linux: Linux): void {
  const has = (type: NamespaceType): boolean =>
    linux.namespaces?.some((namespace) => namespace.type === type) ?? false;
  if (spec.hostname && !has('uts')) throw conflict('$.hostname', 'needs an own uts namespace');
  if (spec.domainname && !has('uts')) throw conflict('$.domainname', 'needs an own uts namespace');
  if (isSet(linux.timeOffsets) && !has('time'))
    throw conflict('$.linux.timeOffsets', 'need a time namespace');
}

/** A container that is to run needs something to run. Throws ERR_OCI_SPEC_CONFLICT. */
export function requireProcess(spec: RuntimeSpec): void {
  if (spec.process === undefined) throw conflict('$.process', 'is needed');
}

/**
 * Checks, before anything is made, that a valid configuration does not contradict itself (ERR_OCI_SPEC_CONFLICT)
 * and asks for nothing that this runtime would have to ignore (ERR_OCI_SPEC_UNSUPPORTED). The launch plan
 * makes further checks of its own steps. Ignored, for they have no effect in today's kernels or for new groups, are
 * `memory.kernel`, `memory.useHierarchy` and `memory.checkBeforeUpdate`, and the sections for other systems.
 */
export function checkSpec(spec: RuntimeSpec): void {
  if (!/^[01]\./.test(spec.ociVersion)) throw unsupported(`$.ociVersion ${spec.ociVersion}`);
  const { process: processSpec, linux = {} } = spec;
  if (processSpec && (processSpec.args ?? []).length === 0)
    throw conflict('$.process.args', 'must not be empty');
  if (processSpec?.args?.[0] === '') throw conflict('$.process.args[0]', 'must not be empty');
  checkNamespaces(spec, linux);
  checkUserNamespace(spec, linux);
}
