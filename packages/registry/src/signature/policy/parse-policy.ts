import { limits } from '../../limits.ts';
import { signatureError, unacceptable } from '../failure.ts';
import type { SignedIdentity } from '../identity.ts';
import { asBytes, asRecord, asText, type JsonRecord, onlyFields, readRecord } from '../json.ts';
import type { KeySource, Policy, PolicyRequirement } from './types.ts';

/**
 * Reads a `policy.json` as strictly as containers/image does: an unknown field or type makes all of it invalid, since it
 * may be the one that matters. Throws ERR_OCI_SIGNATURE_POLICY_INVALID.
 */
export function parsePolicy(bytes: Uint8Array, path: string): Policy {
  try {
    const document = readRecord(bytes, { limit: limits.policyFileBytes, what: 'policy' });
    onlyFields(document, { known: ['default', 'transports'], what: 'policy' });
    return {
      path,
      default: requirements(document['default'], 'default'),
      transports: parseTransports(document['transports'] ?? {}),
    };
  } catch (cause) {
    throw signatureError(
      'ERR_OCI_SIGNATURE_POLICY_INVALID',
      `signature policy ${path} is invalid: ${(cause as Error).message}`,
      { path, cause, hint: 'correct it, or name another with --policy' },
    );
  }
}

function parseTransports(value: unknown): Policy['transports'] {
  const transports = new Map<string, ReadonlyMap<string, readonly PolicyRequirement[]>>();
  for (const [transport, scopes] of Object.entries(asRecord(value, 'transports'))) {
    const byScope = new Map<string, readonly PolicyRequirement[]>();
    for (const [scope, list] of Object.entries(asRecord(scopes, `transports.${transport}`)))
      byScope.set(scope, requirements(list, `transports.${transport}[${JSON.stringify(scope)}]`));
    transports.set(transport, byScope);
  }
  return transports;
}

function requirements(value: unknown, where: string): readonly PolicyRequirement[] {
  if (!Array.isArray(value) || value.length === 0)
    throw unacceptable(`${where} is not a list of requirements`);
  return value.map((each, index) => requirement(asRecord(each, `${where}[${index}]`), `${where}[${index}]`));
}

function requirement(record: JsonRecord, what: string): PolicyRequirement {
  const type = asText(record['type'], `${what}.type`);
  switch (type) {
    case 'insecureAcceptAnything':
    case 'reject':
      onlyFields(record, { known: ['type'], what });
      return { type };
    case 'signedBy':
      onlyFields(record, { known: gpgFields, what });
      return signedBy(record, what);
    case 'sigstoreSigned':
      onlyFields(record, { known: [...keyFields, ...otherFields, 'type', 'signedIdentity'], what });
      return sigstoreSigned(record, what);
    default:
      throw unacceptable(`${what}.type is not known`);
  }
}

const gpgKeyFields = ['keyPath', 'keyPaths', 'keyData'];
const gpgFields = [...gpgKeyFields, 'type', 'keyType', 'signedIdentity'];
const keyTypes = ['GPGKeys', 'signedByGPGKeys', 'X509Certificates', 'signedByX509CAs'];
const keyFields = ['keyPath', 'keyPaths', 'keyData', 'keyDatas'];
const logFields = ['rekorPublicKeyPath', 'rekorPublicKeyPaths', 'rekorPublicKeyData', 'rekorPublicKeyDatas'];
const otherFields = ['fulcio', 'pki', ...logFields];

function signedBy(record: JsonRecord, what: string): PolicyRequirement {
  const keyType = asText(record['keyType'], `${what}.keyType`);
  if (!keyTypes.includes(keyType)) throw unacceptable(`${what}.keyType is not known`);
  const source = onlySource(record, { fields: gpgKeyFields, what });
  const keys = keySources(record[source], { source, what });
  const signedIdentity = identityRule(record['signedIdentity'], `${what}.signedIdentity`);
  // The others have a name since 2016, and no tool that checks them.
  if (keyType !== 'GPGKeys') return { type: 'unsupported', what: `a signature by ${keyType} (signedBy)` };
  return { type: 'signedBy', keys, signedIdentity };
}

function onlySource(
  record: JsonRecord,
  { fields, what }: { readonly fields: readonly string[]; readonly what: string },
): string {
  const [source, second] = fields.filter((field) => record[field] !== undefined);
  if (source !== undefined && second === undefined) return source;
  throw unacceptable(`${what} does not have exactly one of ${fields.join(', ')}`);
}

function sigstoreSigned(record: JsonRecord, what: string): PolicyRequirement {
  const source = onlySource(record, { fields: [...keyFields, 'fulcio', 'pki'], what });
  const signedIdentity = identityRule(record['signedIdentity'], `${what}.signedIdentity`);
  if (!keyFields.includes(source))
    return { type: 'unsupported', what: `a certificate (sigstoreSigned with ${source})` };
  const log = logFields.find((field) => record[field] !== undefined);
  if (log !== undefined)
    return { type: 'unsupported', what: `an entry in a transparency log (sigstoreSigned with ${log})` };
  return { type: 'sigstoreSigned', keys: keySources(record[source], { source, what }), signedIdentity };
}

function keySources(
  value: unknown,
  { source, what }: { readonly source: string; readonly what: string },
): readonly KeySource[] {
  const isList = source.endsWith('s');
  if (isList && (!Array.isArray(value) || value.length === 0))
    throw unacceptable(`${what}.${source} is not a list of keys`);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((each) =>
    source.startsWith('keyPath')
      ? { path: asText(each, `${what}.${source}`) }
      : { data: asBytes(each, `${what}.${source}`) },
  );
}

function identityRule(value: unknown, what: string): SignedIdentity {
  if (value === undefined) return { type: 'matchRepoDigestOrExact' };
  const record = asRecord(value, what);
  const type = asText(record['type'], `${what}.type`);
  const text = (field: string): string => asText(record[field], `${what}.${field}`);
  const only = (...fields: readonly string[]): void =>
    onlyFields(record, { known: ['type', ...fields], what });
  switch (type) {
    case 'matchExact':
    case 'matchRepoDigestOrExact':
    case 'matchRepository':
      only();
      return { type };
    case 'exactReference':
      only('dockerReference');
      return { type, dockerReference: text('dockerReference') };
    case 'exactRepository':
      only('dockerRepository');
      return { type, dockerRepository: text('dockerRepository') };
    case 'remapIdentity':
      only('prefix', 'signedPrefix');
      return { type, prefix: text('prefix'), signedPrefix: text('signedPrefix') };
    default:
      throw unacceptable(`${what}.type is not known`);
  }
}
