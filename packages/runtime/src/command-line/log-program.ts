import type { LogLevel } from './log.ts';

const priorities: Readonly<Record<LogLevel, string>> = {
  debug: 'debug',
  info: 'info',
  warning: 'warning',
  error: 'err',
};

/** Who says something, and where it goes. */
export interface JournalOptions {
  readonly name: string;
  readonly level: LogLevel;
  /** systemd's journal, instead of the system log. */
  readonly isJournal: boolean;
}

/** Hands a message to the journal or the system log through their own programs: Node has no datagram sockets for them. */
export function sendToJournal(message: string, { name, level, isJournal }: JournalOptions): void {
  const [program, ...args] = isJournal
    ? ['systemd-cat', '-t', name, '-p', priorities[level]]
    : ['logger', '-t', name, '-p', `daemon.${priorities[level]}`];
  // Loaded here only: most logs are files, and starting processes is expensive to load.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { error } = spawnSync(program as string, args, {
    input: `${message}\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  if (error) throw error;
}
