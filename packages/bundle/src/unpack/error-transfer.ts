import { type ErrorFacts, ImageError, type ImageErrorCode, isOciError } from '@ocijs/image/errors';
import { BundleError, type BundleErrorCode } from '../errors.ts';

/** An error as it crosses threads; class instances do not. */
export interface TransferredError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly facts: ErrorFacts | undefined;
  readonly hint: string | undefined;
  readonly cause: TransferredError | undefined;
}

/** How many causes behind an error are taken along. */
const causesLimit = 4;

/** Takes an error apart for another thread. */
export function packError(error: unknown, causes: number = causesLimit): TransferredError {
  if (!(error instanceof Error)) {
    const message = String(error);
    return {
      name: 'Error',
      message,
      stack: undefined,
      code: undefined,
      facts: undefined,
      hint: undefined,
      cause: undefined,
    };
  }
  const { code } = error as NodeJS.ErrnoException;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' ? code : undefined,
    facts: isOciError(error) ? { ...error.facts } : undefined,
    hint: isOciError(error) ? error.hint : undefined,
    cause: error.cause === undefined || causes === 0 ? undefined : packError(error.cause, causes - 1),
  };
}

/** Puts an error together again: the same class, code, facts, hint, stack and causes. */
export function unpackError({ name, message, stack, code, facts, hint, cause }: TransferredError): Error {
  const causeError = cause === undefined ? undefined : unpackError(cause);
  const details = {
    ...facts,
    ...(hint === undefined ? {} : { hint }),
    ...(causeError === undefined ? {} : { cause: causeError }),
  };
  let error: Error;
  if (name === 'ImageError') error = new ImageError(code as ImageErrorCode, message, details);
  else if (name === 'BundleError') error = new BundleError(code as BundleErrorCode, message, details);
  else {
    error = new Error(message, causeError === undefined ? undefined : { cause: causeError });
    error.name = name;
    if (code !== undefined) Object.assign(error, { code });
  }
  if (stack !== undefined) error.stack = stack;
  return error;
}
