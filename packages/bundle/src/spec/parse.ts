import { parseJson } from '@ocijs/image/json';
import { BundleError } from '../errors.ts';
import { configSizeLimit } from './limits.ts';
import type { RuntimeSpec, User } from './types.ts';
import { isObject } from './validate/checks.ts';
import { validateSpec } from './validate/validate.ts';

/** Tools written in Go write `null` for what is not set, and read it as that. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    if (member !== null) result[name] = withoutNulls(member);
  }
  return result;
}

/** Ids that are left out are zero, as in the specification's own types. */
function completeUser(user: Partial<User> | undefined): User {
  return { ...user, uid: user?.uid ?? 0, gid: user?.gid ?? 0 };
}

/**
 * The value as a configuration. Throws ERR_OCI_SPEC_INVALID with the first violation's JSON path when it is none.
 */
export function requireValidSpec(value: unknown): RuntimeSpec {
  const [first, ...others] = validateSpec(value);
  if (first !== undefined) {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    throw new BundleError('ERR_OCI_SPEC_INVALID', `config.json: ${first.jsonPath} ${first.message}${more}`, {
      jsonPath: first.jsonPath,
    });
  }
  const spec = value as RuntimeSpec;
  if (spec.process === undefined) return spec;
  return { ...spec, process: { ...spec.process, user: completeUser(spec.process.user) } };
}

/**
 * Parses and checks the bytes of a `config.json`, of at most 8 MiB. Throws ERR_OCI_JSON_INVALID or
 * ERR_OCI_LIMIT_EXCEEDED of `@ocijs/image`, and ERR_OCI_SPEC_INVALID with the first violation's JSON path.
 */
export function parseSpec(raw: Uint8Array): RuntimeSpec {
  return requireValidSpec(withoutNulls(parseJson(raw, { limit: configSizeLimit, what: 'config.json' })));
}
