import { isOciError } from '@ocijs/image/errors';
import { RuntimeError } from '../errors.ts';
import { logErrors } from './files.ts';

/** What a failed step says, in terms of the checkpoint: criu's own complaint is in its log. */
export function criuFailure(
  error: unknown,
  facts: { readonly what: string; readonly work: string; readonly logFile: string },
): unknown {
  if (!isOciError(error, 'ERR_OCI_INIT_FAILED')) return error;
  const { what, work, logFile } = facts;
  const reason = error.message.replace(/^cannot have \S+ do its work: /, '');
  const errors = logErrors(work, logFile);
  return new RuntimeError('ERR_OCI_CRIU_FAILED', `criu cannot ${what}: ${errors === '' ? reason : errors}`, {
    path: `${work}/${logFile}`,
    cause: error,
    hint: `See ${work}/${logFile}.`,
  });
}
