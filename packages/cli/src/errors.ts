/** Every code that `@ocijs/cli` itself throws. */
export type CliErrorCode =
  /** Something was typed wrongly. */
  | 'ERR_OCI_USAGE'
  /** SIGINT or SIGTERM came. */
  | 'ERR_OCI_INTERRUPTED'
  /** The operating system refused something; the cause says what. */
  | 'ERR_OCI_SYSTEM'
  /** A mistake in this program. */
  | 'ERR_OCI_INTERNAL'
  /** The registry cannot listen on the address. */
  | 'ERR_OCI_LISTEN_FAILED'
  | 'ERR_OCI_TRANSPORT_UNSUPPORTED'
  | 'ERR_OCI_IMAGE_NOT_FOUND'
  | 'ERR_OCI_FILE_NOT_FOUND'
  | 'ERR_OCI_REPACK_FAILED'
  | 'ERR_OCI_IMAGE_IN_USE'
  | 'ERR_OCI_VALIDATION_FAILED'
  | 'ERR_OCI_CONTAINER_NAME_TAKEN'
  | 'ERR_OCI_CONTAINER_NOT_FOUND'
  | 'ERR_OCI_CONTAINER_RUNNING'
  | 'ERR_OCI_CONTAINER_NOT_RUNNING'
  /** It ran in the foreground, so its output was not kept. */
  | 'ERR_OCI_CONTAINER_NO_LOG'
  | 'ERR_OCI_CONTAINER_INVALID'
  | 'ERR_OCI_CONTAINER_NOT_REMOVED'
  | 'ERR_OCI_HOST_UNSUITABLE';

/** Extra parts of a {@link CliError}. */
export interface CliErrorDetails {
  readonly hint?: string;
  readonly cause?: unknown;
  /** What a `--json` result would have been, for commands whose findings are the failure. */
  readonly result?: unknown;
}

/**
 * An error of the command line. Shaped like the libraries' OciError, but not derived from it: importing
 * `@ocijs/image` for a class would cost every command its start-up time.
 */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly hint: string | undefined;
  readonly result: unknown;

  constructor(code: CliErrorCode, message: string, details: CliErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CliError';
    this.code = code;
    this.hint = details.hint;
    this.result = details.result;
  }
}

/** A mistake in what was typed; exit code 2. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError('ERR_OCI_USAGE', message, hint === undefined ? {} : { hint });
}

/** The reason of an abort by a signal; carries the exit code that shells expect, 128 + signal number. */
export class Interrupted extends Error {
  readonly signal: 'SIGINT' | 'SIGTERM';

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}
