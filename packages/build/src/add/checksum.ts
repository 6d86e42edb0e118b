import { createHash } from 'node:crypto';
import { BuildError } from '../errors.ts';

/** Compares content with `--checksum=sha256:…` (also sha384 and sha512) while it passes, and fails before its clean end. */
export async function* checked(
  source: AsyncIterable<Uint8Array>,
  { checksum, label }: { readonly checksum: string; readonly label: string },
): AsyncGenerator<Uint8Array> {
  const [, algorithm = '', expected = ''] = /^(sha256|sha384|sha512):([0-9a-f]+)$/.exec(checksum) ?? [];
  if (algorithm === '')
    throw new BuildError('ERR_OCI_DOCKERFILE_INVALID', `--checksum=${checksum} is no checksum of a file`, {
      hint: 'write --checksum=sha256: and 64 hexadecimal digits',
    });
  const hash = createHash(algorithm);
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest('hex');
  if (actual !== expected)
    throw new BuildError('ERR_OCI_BUILD_CHECKSUM_MISMATCH', `${label} is not what its checksum says`, {
      expected: checksum,
      actual: `${algorithm}:${actual}`,
      hint: 'the file has changed, or was replaced: look at it before you take the new checksum',
    });
}
