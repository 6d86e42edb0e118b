import { constants } from 'node:os';

const aliases: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', EOPNOTSUPP: 'ENOTSUP' };

const namesByErrno: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, errno]) => [errno, aliases[name] ?? name]),
);

/** The symbolic name of an errno, such as `ENOENT`; `ENOTSUP` and `EAGAIN` for the values with two names. */
export function errnoName(errno: number): string {
  return namesByErrno.get(errno) ?? `E${errno}`;
}

/** A system call that failed. `code` is the errno's name, as in the errors of `node:fs`. */
export class SystemCallError extends Error {
  readonly code: string;
  /** Positive, as the kernel defines it (`node:fs` has it negative). */
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(syscall: string, details: { readonly errno: number; readonly path?: string | undefined }) {
    const code = errnoName(details.errno);
    super(`${syscall}${details.path === undefined ? '' : ` ${JSON.stringify(details.path)}`}: ${code}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.errno = details.errno;
    this.syscall = syscall;
    this.path = details.path;
  }
}

/** True for a failed system call; with `codes`, only when it failed with one of them. */
export function isSystemCallError(error: unknown, ...codes: readonly string[]): error is SystemCallError {
  return error instanceof SystemCallError && (codes.length === 0 || codes.includes(error.code));
}
