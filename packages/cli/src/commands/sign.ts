import type { SignatureForm, SignReport } from '@ocijs/registry';
import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { keyPasswordFlags } from '../flags/key-password.ts';
import { parseNameValues } from '../flags/name-value.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { registryName } from '../image-name.ts';
import { keyPassword } from '../key-password.ts';

export default class Sign extends BaseCommand {
  static override summary = 'Sign an image in its registry with a key, as cosign does';
  static override description =
    'What the name stands for now is signed, by digest. The signature is put beside the image; the same key signing the same again changes nothing.';
  static override examples = [
    '<%= config.bin %> sign --key cosign.key registry.example.com/team/app:v1',
    '<%= config.bin %> sign --key cosign.key -a build=7 --recursive registry.example.com/team/app:v1',
  ];
  static override args = {
    reference: Args.string({ required: true, ignoreStdin: true, description: 'Image in a registry' }),
  };
  static override flags = {
    key: Flags.string({
      required: true,
      helpValue: 'FILE',
      summary: 'Private key: of cosign or in PEM, ECDSA P-256 or RSA',
    }),
    ...keyPasswordFlags,
    annotation: Flags.string({
      char: 'a',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'Sign this besides; may be repeated',
    }),
    form: Flags.string({
      options: ['tag', 'referrer', 'bundle'],
      default: 'tag',
      summary:
        'Under a tag ending in .sig, which all tools read; as an artifact; or as a sigstore bundle (cosign 3)',
    }),
    identity: Flags.string({
      helpValue: 'NAME',
      summary: 'The name that is signed, when it is not the one the image has here',
    }),
    recursive: Flags.boolean({ default: false, summary: 'Sign every image of an index too' }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Sign);
    const { readKeyFile, sign } = await import('@ocijs/registry');
    const { signal } = this;
    const key = await readKeyFile(flags.key, { signal });
    const isEncrypted = Buffer.from(key).includes('-----BEGIN ENCRYPTED ');
    const file = flags['key-password-file'];
    const report = await sign(registryName(args.reference), {
      ...registryOptions(flags),
      key,
      ...(isEncrypted ? { password: await keyPassword({ file, purpose: 'existing', signal }) } : {}),
      form: flags.form as SignatureForm,
      annotations: parseNameValues(flags.annotation, '--annotation'),
      identity: flags.identity,
      recursive: flags.recursive,
      signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, { json: report, quiet: report.digest, text: formatReport(report) });
  }
}

function formatReport({ signatures, identity }: SignReport): string {
  const lines = signatures.map(({ digest, signature, status }) =>
    status === 'exists'
      ? `${digest} was signed before, see ${signature}`
      : `signed ${digest}\nas ${identity}, kept in ${signature}`,
  );
  return lines.join('\n');
}
