import { constants } from 'node:os';
import { Interrupted } from './errors.ts';

/** The exit codes of `oci`. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** `run` and `exec`: the tool failed before the command in the container could be started. */
  toolFailed: 125,
  /** `run` and `exec`: the command was found but cannot be executed. */
  cannotExecute: 126,
  /** `run` and `exec`: the command was not found. */
  notFound: 127,
} as const;

const usageCodes: ReadonlySet<string> = new Set([
  'ERR_OCI_USAGE',
  'ERR_OCI_TRANSPORT_UNSUPPORTED',
  'ERR_OCI_REFERENCE_INVALID',
  'ERR_OCI_PLATFORM_INVALID',
  'ERR_OCI_SIGNAL_INVALID',
]);

const runCodes: Readonly<Record<string, number>> = {
  ERR_OCI_EXEC_DENIED: ExitCode.cannotExecute,
  ERR_OCI_EXEC_NOT_FOUND: ExitCode.notFound,
};

/** 128 + n for a process that signal n ended. */
export function exitCodeOfSignal(signal: string): number {
  const number = (constants.signals as Readonly<Record<string, number | undefined>>)[signal];
  return 128 + (number ?? 0);
}

/** What to exit with after `error` ended the command `command`. */
export function exitCodeOf(error: unknown, command?: string): number {
  if (error instanceof Interrupted) return exitCodeOfSignal(error.signal);
  const code = codeOf(error);
  if (code !== undefined && usageCodes.has(code)) return ExitCode.usage;
  if (command !== 'run' && command !== 'exec') return ExitCode.failure;
  return (code === undefined ? undefined : runCodes[code]) ?? ExitCode.toolFailed;
}

/** The `code` of an error, when it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
