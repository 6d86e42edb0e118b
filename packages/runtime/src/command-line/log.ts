import { appendFileSync } from 'node:fs';
import { sendToJournal } from './log-program.ts';

const levels = ['debug', 'info', 'warning', 'error'] as const;

/** How important a message is. */
export type LogLevel = (typeof levels)[number];

/** True for the name of a level. */
export function isLogLevel(name: string): name is LogLevel {
  return (levels as readonly string[]).includes(name);
}

/** Where messages go and how they look. */
export interface LogOptions {
  /** A file to append to, as `PATH` or `file:PATH`, `journald:NAME` or `syslog:NAME`; standard error without one. */
  readonly target?: string | undefined;
  readonly format: 'text' | 'json';
  /** Less important messages are left out. */
  readonly level: LogLevel;
  /** Writes to standard error. */
  readonly standardError: (text: string) => void;
}

/** Writes messages for the caller of the command line. */
export interface Log {
  debug(message: string): void;
  warning(message: string): void;
  /** The last message of a failed command; it also reaches standard error when the log is elsewhere. */
  error(message: string, hint?: string): void;
}

function formatLine(level: LogLevel, message: string, format: LogOptions['format']): string {
  const time = new Date().toISOString();
  if (format === 'json') return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}\n`;
}

type Writer = (level: LogLevel, message: string) => void;

function writerFor({ target, format, standardError }: LogOptions): Writer {
  if (target === undefined) return (level, message) => standardError(formatLine(level, message, format));
  const [, service, name] = /^(journald|syslog):(.*)$/s.exec(target) ?? [];
  if (service !== undefined) {
    const isJournal = service === 'journald';
    return (level, message) => sendToJournal(message, { level, isJournal, name: name || 'oci-runtime' });
  }
  const file = target.replace(/^file:/, '');
  appendFileSync(file, '', { mode: 0o644 });
  return (level, message) => appendFileSync(file, formatLine(level, message, format));
}

/** Opens the log; with a file, a test that it can be written comes first. Throws the error of the file system. */
export function openLog(options: LogOptions): Log {
  const { target, format, standardError } = options;
  const writer = writerFor(options);
  const write: Writer = (level, message) => {
    if (levels.indexOf(level) >= levels.indexOf(options.level)) writer(level, message);
  };
  return {
    debug: (message) => write('debug', message),
    warning: (message) => write('warning', message),
    error: (message, hint) => {
      write('error', message);
      if (target !== undefined) standardError(`${message}\n`);
      if (hint !== undefined && format === 'text') standardError(`hint: ${hint}\n`);
    },
  };
}
