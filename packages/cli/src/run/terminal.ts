import { usageError } from '../errors.ts';

/** Throws ERR_OCI_USAGE for `-it` in the foreground without a terminal to read from. */
export function requireTerminal(flags: {
  readonly tty: boolean;
  readonly interactive: boolean;
  readonly detach: boolean;
}): void {
  if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY) {
    throw usageError('-t needs a terminal, and standard input is none', 'leave -t out');
  }
}

/** Where the standard streams of a command in the foreground go: to ours. */
export function foregroundStreams(flags: {
  readonly tty: boolean;
  readonly interactive: boolean;
}): readonly ['inherit' | 'ignore', 'inherit', 'inherit'] {
  return [flags.interactive || flags.tty ? 'inherit' : 'ignore', 'inherit', 'inherit'];
}

/** Rows and columns of our terminal; undefined when there is none. */
export function terminalSize(): { readonly rows: number; readonly columns: number } | undefined {
  const { isTTY, rows, columns } = process.stdout;
  return isTTY && rows > 0 && columns > 0 ? { rows, columns } : undefined;
}
