import { appendFileSync } from 'node:fs';

/** Where messages go and how they look. */
export interface LogOptions {
  /** A file to append to; standard error without one. */
  readonly file?: string | undefined;
  readonly format: 'text' | 'json';
  readonly debug: boolean;
  /** Writes to standard error. */
  readonly standardError: (text: string) => void;
}

/** Writes messages for the caller of the command line. */
export interface Log {
  debug(message: string): void;
  warning(message: string): void;
  /** The last message of a failed command; it also reaches standard error when the log is a file. */
  error(message: string, hint?: string): void;
}

function formatLine(level: string, message: string, format: LogOptions['format']): string {
  const time = new Date().toISOString();
  if (format === 'json') return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}\n`;
}

/** Opens the log; with a file, a test that it can be written comes first. Throws the error of the file system. */
export function openLog(options: LogOptions): Log {
  const { file, format, standardError } = options;
  if (file !== undefined) appendFileSync(file, '', { mode: 0o644 });
  const write = (level: string, message: string): void => {
    const line = formatLine(level, message, format);
    if (file === undefined) standardError(line);
    else appendFileSync(file, line);
  };
  return {
    debug: (message) => {
      if (options.debug) write('debug', message);
    },
    warning: (message) => write('warning', message),
    error: (message, hint) => {
      write('error', message);
      if (file !== undefined) standardError(`${message}\n`);
      if (hint !== undefined && format === 'text') standardError(`hint: ${hint}\n`);
    },
  };
}
