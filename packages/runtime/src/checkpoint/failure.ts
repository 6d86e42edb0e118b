import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isOciError } from '@ocijs/image/errors';
import { RuntimeError } from '../errors.ts';
import { criuLogTail } from '../limits.ts';

function readEnd(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, criuLogTail));
    const count = readSync(fd, bytes, { position: size - bytes.length });
    return bytes.toString('utf8', 0, count);
  } finally {
    closeSync(fd);
  }
}

/** What a log of criu says last of errors. */
function logErrors(path: string): string {
  try {
    const errors = readEnd(path)
      .split('\n')
      .filter((line) => /Error \(/.test(line));
    return errors
      .slice(-4)
      .map((line) => line.trim())
      .join('; ');
  } catch {
    // criu ended before it wrote any; what its end was is told anyway.
    return '';
  }
}

/** What a failed step says, in terms of the checkpoint: criu's own complaint is in its log. */
export function criuFailure(
  error: unknown,
  facts: { readonly what: string; readonly work: string; readonly logFile: string },
): unknown {
  if (!isOciError(error, 'ERR_OCI_INIT_FAILED')) return error;
  const path = join(facts.work, facts.logFile);
  const reason = error.message.replace(/^cannot have \S+ do its work: /, '');
  return new RuntimeError('ERR_OCI_CRIU_FAILED', `criu cannot ${facts.what}: ${logErrors(path) || reason}`, {
    path,
    cause: error,
    hint: `See ${path}.`,
  });
}
