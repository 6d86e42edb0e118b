import type { RegistryOptions } from '@ocijs/registry';
import { Flags } from '@oclif/core';
import { usageError } from '../errors.ts';

const group = 'REGISTRY';

/** Flags of every command that speaks to a registry. */
export const registryFlags = {
  creds: Flags.string({ helpGroup: group, helpValue: 'USER:PASS', summary: 'Log in with these credentials' }),
  authfile: Flags.string({ helpGroup: group, helpValue: 'FILE', summary: 'Read credentials from this file' }),
  'tls-verify': Flags.string({
    helpGroup: group,
    options: ['true', 'false'],
    summary: 'Require HTTPS with a valid certificate',
  }),
  'plain-http': Flags.boolean({ default: false, helpGroup: group, summary: 'Use HTTP without TLS' }),
  ca: Flags.string({
    helpGroup: group,
    helpValue: 'FILE',
    summary: 'Trust these certificate authorities too',
  }),
  'cert-dir': Flags.string({
    helpGroup: group,
    helpValue: 'DIR',
    summary: 'Client certificates and authorities',
  }),
  'registries-conf': Flags.string({
    helpGroup: group,
    helpValue: 'FILE',
    summary: 'Mirrors and blocks from this registries.conf only',
  }),
  'hosts-dir': Flags.string({
    helpGroup: group,
    helpValue: 'DIR',
    summary: "Hosts from this directory of containerd's hosts.toml only",
  }),
  policy: Flags.string({
    helpGroup: group,
    helpValue: 'FILE',
    summary: 'Signature policy, instead of the policy.json of podman and skopeo',
    exclusive: ['insecure-policy'],
  }),
  'insecure-policy': Flags.boolean({
    default: false,
    helpGroup: group,
    summary: 'Take images whatever the signature policy says',
  }),
  retry: Flags.integer({
    helpGroup: group,
    min: 0,
    helpValue: 'N',
    summary: 'How often to retry a failed request',
  }),
  concurrency: Flags.integer({
    helpGroup: group,
    min: 1,
    max: 64,
    helpValue: 'N',
    summary: 'Blobs moved at one time',
  }),
};

/** Parsed {@link registryFlags}. */
export interface RegistryFlagValues {
  readonly creds?: string | undefined;
  readonly authfile?: string | undefined;
  readonly 'tls-verify'?: string | undefined;
  readonly 'plain-http'?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly 'cert-dir'?: string | undefined;
  readonly 'registries-conf'?: string | undefined;
  readonly 'hosts-dir'?: string | undefined;
  readonly policy?: string | undefined;
  readonly 'insecure-policy'?: boolean | undefined;
  readonly retry?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** The library's options for what was typed. Throws ERR_OCI_USAGE for credentials that are not `user:pass`. */
export function registryOptions(flags: RegistryFlagValues): RegistryOptions {
  const tlsVerify = flags['tls-verify'];
  return {
    ...(flags.creds === undefined ? {} : { credentials: parseCredentials(flags.creds) }),
    ...(flags.authfile === undefined ? {} : { authFile: flags.authfile }),
    ...(tlsVerify === undefined ? {} : { tlsVerify: tlsVerify === 'true' }),
    ...(flags['plain-http'] === true ? { plainHttp: true } : {}),
    ...(flags.ca === undefined ? {} : { caFile: flags.ca }),
    ...(flags['cert-dir'] === undefined ? {} : { certificateDirectory: flags['cert-dir'] }),
    ...(flags['registries-conf'] === undefined ? {} : { registriesConf: flags['registries-conf'] }),
    ...(flags['hosts-dir'] === undefined ? {} : { hostsDirectory: flags['hosts-dir'] }),
    ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    ...(flags['insecure-policy'] === true ? { policy: false } : {}),
    ...(flags.retry === undefined ? {} : { retry: flags.retry }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
  };
}

function parseCredentials(text: string): { username: string; password: string } {
  const colon = text.indexOf(':');
  if (colon <= 0) throw usageError('--creds is not USER:PASS');
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
