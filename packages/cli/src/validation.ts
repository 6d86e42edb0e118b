import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError, usageError } from './errors.ts';
import { codeOf } from './exit-codes.ts';

/** One thing that is wrong, and where. */
export interface Finding {
  /** Such as `$.layers[0].digest`. */
  readonly jsonPath: string;
  readonly code: string;
  readonly message: string;
}

/** What an argument of `oci validate` names: a directory with a config.json, one with an oci-layout, or else an image. */
export async function kindOf(text: string): Promise<'bundle' | 'layout' | 'image'> {
  if (await isFile(join(text, 'config.json'))) return 'bundle';
  if (await isFile(join(text, 'oci-layout'))) return 'layout';
  // What can only be a path is none of a registry.
  if (/^\.{0,2}\//.test(text) || text === '.' || text === '..')
    throw usageError(
      `${text} is neither a bundle nor an image layout`,
      'a bundle has a config.json, a layout a file oci-layout; archives are oci-archive:FILE and docker-archive:FILE',
    );
  return 'image';
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  return found?.isFile() === true;
}

/** Checks the config.json of a bundle against the runtime specification. */
export async function validateBundle(directory: string): Promise<readonly Finding[]> {
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

/** Checks everything that an OCI layout names, all platforms of it; what cannot even be read is a finding too. */
export async function validateLayout(
  directory: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  const { openLayout, validateTree } = await import('@ocijs/image');
  await using layout = await openLayout(directory);
  const findings: Finding[] = [];
  for (const descriptor of await layout.entries()) {
    const name = descriptor.annotations?.['org.opencontainers.image.ref.name'] ?? descriptor.digest;
    const found = await validateTree(layout, descriptor, { signal });
    findings.push(...found.map((finding) => ({ ...finding, message: `${name}: ${finding.message}` })));
  }
  return findings;
}
