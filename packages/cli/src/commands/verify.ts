import { readFile } from 'node:fs/promises';
import type { PolicyReport, SignedIdentity, VerifiedSignature, VerifyReport } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { usageError } from '../errors.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';
import { printable } from '../render/text.ts';

export default class Verify extends BaseCommand {
  static override summary =
    'Verify that an image in a registry is signed: by a key, a person, or as a policy asks';
  static override description =
    'Prints the digest that is signed. Signatures of cosign are found under tags ending in .sig, as artifacts and as sigstore bundles. Of an index, the index itself must be signed.';
  static override examples = [
    '<%= config.bin %> verify --key cosign.pub registry.example.com/team/app:v1',
    '<%= config.bin %> verify --certificate-identity ann@example.com --certificate-oidc-issuer https://accounts.google.com --trusted-root trusted_root.json registry.example.com/team/app:v1',
    '<%= config.bin %> verify --policy policy.json registry.example.com/team/app:v1',
  ];
  static override args = {
    reference: Args.string({ required: true, ignoreStdin: true, description: 'Image in a registry' }),
  };
  static override flags = {
    key: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'FILE',
      summary: 'Public key in PEM; repeated: one of them must have signed',
    }),
    'certificate-identity': Flags.string({
      helpValue: 'TEXT',
      summary: 'Keyless: whom the certificate must name, exactly',
    }),
    'certificate-identity-regexp': Flags.string({
      helpValue: 'PATTERN',
      summary: 'The same, as a pattern of the whole name',
      exclusive: ['certificate-identity'],
    }),
    'certificate-oidc-issuer': Flags.string({
      helpValue: 'URL',
      summary: 'Keyless: who vouched for the name, exactly',
    }),
    'certificate-oidc-issuer-regexp': Flags.string({
      helpValue: 'PATTERN',
      summary: 'The same, as a pattern of the whole URL',
      exclusive: ['certificate-oidc-issuer'],
    }),
    'trusted-root': Flags.string({
      helpValue: 'FILE',
      summary: 'Keyless: the authorities and logs to believe, a trusted_root.json',
    }),
    annotation: Flags.string({
      char: 'a',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'The signer must have said this; may be repeated',
    }),
    'signed-identity': Flags.string({
      helpValue: 'RULE',
      summary:
        'The name that must be signed: matchRepository (default), matchExact, any, or NAME[:TAG|@DIGEST]',
    }),
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Verify);
    const name = registryName(args.reference);
    const common = { ...registryOptions(flags), signal: this.signal, onEvent: this.progress(flags) };
    const { checkPolicy, readKeyFile, verify } = await import('@ocijs/registry');
    if (flags.policy !== undefined) {
      const odd = [...ownFlags, 'key', 'annotation', 'signed-identity'].find((flag) => flag in flags);
      if (odd !== undefined) throw usageError(`--policy says who must sign: leave out --${odd}`);
      const report = await checkPolicy(name, { ...common, ...(await wantedPlatform(flags.platform)) });
      return this.print(flags, { json: report, quiet: report.digest, text: formatPolicy(report) });
    }
    const { key: keyFiles = [] } = flags;
    const keys = await Promise.all(keyFiles.map((file) => readKeyFile(file, { signal: this.signal })));
    const keyless = keys.length > 0 ? undefined : await keylessOptions(flags);
    if (keys.length > 0 && ownFlags.some((flag) => flag in flags))
      throw usageError('--key and the flags of keyless signatures exclude each other');
    const report = await verify(name, {
      ...common,
      ...(keyless === undefined ? { key: keys } : { keyless }),
      annotations: parseNameValues(flags.annotation, '--annotation'),
      signedIdentity: identityRule(flags['signed-identity']),
    });
    await this.print(flags, { json: report, quiet: report.digest, text: formatReport(report) });
  }
}

/** Those of keyless signatures. */
const ownFlags = [
  'certificate-identity',
  'certificate-identity-regexp',
  'certificate-oidc-issuer',
  'certificate-oidc-issuer-regexp',
  'trusted-root',
];

interface KeylessFlags {
  readonly 'certificate-identity'?: string | undefined;
  readonly 'certificate-identity-regexp'?: string | undefined;
  readonly 'certificate-oidc-issuer'?: string | undefined;
  readonly 'certificate-oidc-issuer-regexp'?: string | undefined;
  readonly 'trusted-root'?: string | undefined;
}

async function keylessOptions(flags: KeylessFlags): Promise<{
  readonly trustedRoot: Uint8Array;
  readonly certificateIdentity: string | RegExp;
  readonly certificateIssuer: string | RegExp;
}> {
  const identity = flags['certificate-identity'] ?? pattern(flags, 'certificate-identity-regexp');
  const issuer = flags['certificate-oidc-issuer'] ?? pattern(flags, 'certificate-oidc-issuer-regexp');
  const file = flags['trusted-root'];
  if (identity === undefined && issuer === undefined && file === undefined)
    throw usageError(
      'nothing says whose signature is wanted',
      'name a key with --key, a policy with --policy, or a person with --certificate-identity',
    );
  if (identity === undefined || issuer === undefined || file === undefined)
    throw usageError(
      'keyless signatures need --certificate-identity, --certificate-oidc-issuer and --trusted-root together',
    );
  return { trustedRoot: await readFile(file), certificateIdentity: identity, certificateIssuer: issuer };
}

function pattern(
  flags: KeylessFlags,
  name: 'certificate-identity-regexp' | 'certificate-oidc-issuer-regexp',
): RegExp | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch (error) {
    throw usageError(`--${name} is not a pattern: ${(error as Error).message}`);
  }
}

function identityRule(text: string | undefined): SignedIdentity | 'any' | undefined {
  if (text === undefined || text === 'any') return text;
  if (text === 'matchRepository' || text === 'matchExact' || text === 'matchRepoDigestOrExact')
    return { type: text };
  const isExact = /:[^/]*$/.test(text);
  return isExact
    ? { type: 'exactReference', dockerReference: text }
    : { type: 'exactRepository', dockerRepository: text };
}

function formatReport({ reference, digest, signatures }: VerifyReport): string {
  const count = signatures.length === 1 ? 'one signature' : `${signatures.length} signatures`;
  return [`${reference}\nis ${digest}`, `with ${count}:`, ...signatures.map(formatSignature)].join('\n');
}

function formatSignature({ form, signer, identity, annotations }: VerifiedSignature): string {
  const by = signer.type === 'key' ? `by ${signer.key}` : `by ${signer.identity} (${signer.issuer})`;
  const said = Object.entries(annotations).map(([name, value]) => `${name}=${value}`);
  return printable(
    [`  ${by}`, `form ${form}`, ...(identity === undefined ? [] : [`as ${identity}`]), ...said].join(', '),
  );
}

function formatPolicy({ reference, digest, requirements, policy }: PolicyReport): string {
  const isUnchecked = requirements.every((type) => type === 'insecureAcceptAnything');
  const how = isUnchecked ? 'which asks for no signature' : `which asks for ${requirements.join(' and ')}`;
  return `${reference}\nis ${digest}\nand let in by ${policy}, ${how}`;
}
