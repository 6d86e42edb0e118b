import { RuntimeError } from '../errors.ts';
import { containerIdLimit } from '../limits.ts';

/**
 * Checks a container id as runc does: letters, digits, `_`, `+`, `-`, `.`; not `.` or `..`. It becomes a file name, so
 * it is at most 255 characters. Throws ERR_OCI_CONTAINER_ID_INVALID.
 */
export function checkContainerId(id: string): void {
  const valid = /^[A-Za-z0-9_+.-]+$/.test(id) && id !== '.' && id !== '..' && id.length <= containerIdLimit;
  if (valid) return;
  throw new RuntimeError(
    'ERR_OCI_CONTAINER_ID_INVALID',
    `invalid container id ${JSON.stringify(id.slice(0, 300))}`,
    {
      actual: id.slice(0, 300),
      limit: containerIdLimit,
      hint: 'Use letters, digits and the characters _ + - . only.',
    },
  );
}

/** An id for a container whose name does not matter: 64 random bits. */
export function randomContainerId(): string {
  // The global one: unlike node:crypto it is loaded at its first use.
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}
