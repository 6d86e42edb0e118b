import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Args } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { CliError } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { openImage } from '../images.ts';
import { printable } from '../render/text.ts';

interface Finding {
  readonly jsonPath: string;
  readonly code: string;
  readonly message: string;
}

type ValidateFlagValues = GlobalFlagValues & RegistryFlagValues & { readonly platform?: string | undefined };

export default class Validate extends BaseCommand {
  static override summary = 'Check an image, or a bundle, against the specifications';
  static override description =
    'An image is read completely and every digest, size and diff id in it is computed again. A directory with a config.json is checked as a bundle, one with an oci-layout as a layout with all its images. Exits with 1 when anything is wrong.';
  static override examples = [
    '<%= config.bin %> validate debian:bookworm',
    '<%= config.bin %> validate ./bundle',
  ];
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Image name, bundle directory or OCI layout',
    }),
  };
  static override flags = { ...platformFlags, ...registryFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Validate);
    const kind = await kindOf(args.image);
    const findings =
      kind === 'bundle'
        ? await validateBundle(args.image)
        : kind === 'layout'
          ? await this.#validateLayout(args.image)
          : await this.#validateImage(args.image, flags);
    if (findings.length === 0) {
      return this.print(flags, {
        json: { valid: true, violations: [] },
        quiet: '',
        text: `${args.image} is valid`,
      });
    }
    this.endProgress();
    if (!flags.json) {
      for (const { jsonPath, code, message } of findings) {
        process.stdout.write(`${printable(jsonPath)}: ${printable(message)} (${code})\n`);
      }
    }
    const count = `${findings.length} violation${findings.length === 1 ? '' : 's'}`;
    throw new CliError('ERR_OCI_VALIDATION_FAILED', `${args.image} has ${count}`, {
      result: { valid: false, violations: findings },
    });
  }

  async #validateImage(text: string, flags: ValidateFlagValues): Promise<readonly Finding[]> {
    const { validateImage } = await import('@ocijs/image');
    const { signal } = this;
    const onEvent = this.progress(flags);
    const image = await openImage(parseImageName(text), {
      openStore: () => this.openStore(flags),
      pull: 'missing',
      remote: 'read',
      registry: registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      signal,
      onEvent,
    });
    return validateImage(image, { signal, onEvent });
  }

  async #validateLayout(directory: string): Promise<readonly Finding[]> {
    const { isIndexType, openLayout, parseIndex, validateImage } = await import('@ocijs/image');
    const { signal } = this;
    await using layout = await openLayout(directory);
    const findings: Finding[] = [];
    for (const { name, descriptor } of await layout.list()) {
      const manifests = isIndexType(descriptor.mediaType)
        ? parseIndex(await layout.readAll(descriptor, { signal }), { mediaType: descriptor.mediaType })
            .manifests
        : [descriptor];
      for (const manifest of manifests) {
        const image = await layout.image(manifest, { signal });
        const found = await validateImage(image, { signal });
        findings.push(...found.map((finding) => ({ ...finding, message: `${name}: ${finding.message}` })));
      }
    }
    return findings;
  }
}

async function kindOf(text: string): Promise<'bundle' | 'layout' | 'image'> {
  if (await isFile(join(text, 'config.json'))) return 'bundle';
  return (await isFile(join(text, 'oci-layout'))) ? 'layout' : 'image';
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  return found?.isFile() === true;
}

async function validateBundle(directory: string): Promise<readonly Finding[]> {
  const { configSizeLimit, parseSpec, validateSpec } = await import('@ocijs/bundle/spec');
  const { parseJson } = await import('@ocijs/image');
  const raw = await readLimited(join(directory, 'config.json'), configSizeLimit);
  try {
    parseSpec(raw);
    return [];
  } catch (error) {
    // The parser stops at the first violation and tolerates what Go tools write; the validator lists them all.
    if (codeOf(error) !== 'ERR_OCI_SPEC_INVALID') throw error;
    return validateSpec(parseJson(raw, { limit: configSizeLimit, what: 'config.json' }));
  }
}

async function readLimited(path: string, limit: number): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size > limit) throw new CliError('ERR_OCI_VALIDATION_FAILED', `${path} is larger than ${limit} bytes`);
  return file.readFile();
}
