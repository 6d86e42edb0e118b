import { writeSync } from 'node:fs';
import { isOciError } from '@ocijs/image/errors';
import type { CgroupManager } from '../lifecycle/group.ts';
import { type Flags, type ParsedArguments, parseArguments, textFlag, usageError } from './arguments.ts';
import type { Command } from './command.ts';
import { commands } from './commands/index.ts';
import { isLogLevel, type Log, openLog } from './log.ts';
import { Interruption, routeSignals } from './signals.ts';

const globalFlags: Flags = {
  root: { takes: 'text', about: 'the directory for the state of containers' },
  log: { takes: 'text', about: '[file:]PATH, journald:NAME or syslog:NAME; standard error by default' },
  'log-format': { takes: 'text', about: 'text (default) or json' },
  'log-level': { takes: 'text', about: 'debug, info, warning (default) or error' },
  debug: { takes: 'nothing', about: 'the same as --log-level debug' },
  'cgroup-manager': { takes: 'text', about: 'cgroupfs (default), systemd, or disabled for none' },
  'systemd-cgroup': { takes: 'nothing', about: 'the same as --cgroup-manager systemd' },
  rootless: { takes: 'text', about: 'auto, true or false; found out by itself' },
  help: { takes: 'nothing', short: 'h', about: 'print this text' },
  version: { takes: 'nothing', short: 'v', about: 'print the version' },
};

const helpFlag: Flags = { help: { takes: 'nothing', short: 'h', about: 'print this text' } };

/** Where results and messages go. */
export interface Output {
  readonly standardOutput: (text: string) => void;
  readonly standardError: (text: string) => void;
}

/** Writes synchronously, because the process may be ended right after. */
function writeTo(descriptor: number): (text: string) => void {
  return (text) => {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  };
}

const processOutput: Output = { standardOutput: writeTo(1), standardError: writeTo(2) };

function openGlobalLog(parsed: ParsedArguments, { standardError }: Output): Log {
  const format = textFlag(parsed, 'log-format') ?? 'text';
  if (format !== 'text' && format !== 'json') throw usageError(`invalid log-format: ${format}`);
  const level = parsed.flags.has('debug') ? 'debug' : (textFlag(parsed, 'log-level') ?? 'warning');
  if (!isLogLevel(level)) throw usageError(`unknown log level ${level}`);
  return openLog({ target: textFlag(parsed, 'log') || undefined, format, level, standardError });
}

function checkGlobal(parsed: ParsedArguments): void {
  const rootless = textFlag(parsed, 'rootless');
  if (rootless !== undefined && !['auto', 'true', 'false', ''].includes(rootless)) {
    throw usageError(`invalid value for --rootless: ${rootless}`);
  }
}

function cgroupManager(parsed: ParsedArguments): CgroupManager {
  const name =
    textFlag(parsed, 'cgroup-manager') || (parsed.flags.has('systemd-cgroup') ? 'systemd' : 'cgroupfs');
  if (name === 'cgroupfs' || name === 'systemd' || name === 'disabled') return name;
  throw usageError(`invalid value for --cgroup-manager: ${name}`);
}

function checkWords(name: string, command: Command, count: number): void {
  const [least, most] = command.words;
  if (count >= least && count <= most) return;
  const wanted = least === most ? `exactly ${least}` : `a minimum of ${least}`;
  throw usageError(`"oci-runtime ${name}" requires ${wanted} argument(s)`);
}

function reportError(log: Log, error: unknown, prefix = ''): void {
  const message = error instanceof Error ? error.message : String(error);
  log.error(prefix + message, isOciError(error) ? error.hint : undefined);
}

async function runCommand(parsed: ParsedArguments, log: Log, print: (text: string) => void): Promise<number> {
  checkGlobal(parsed);
  const [name = '', ...argv] = parsed.words;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) throw usageError(`No help topic for '${name}'`);
  const { command } = await load();
  const flags = { ...command.flags, ...helpFlag };
  const commandArguments = parseArguments(argv, { flags, interspersed: command.interspersed ?? true });
  if (commandArguments.flags.has('help')) {
    print((await import('./help.ts')).commandHelp(command));
    return 0;
  }
  checkWords(name, command, commandArguments.words.length);
  log.debug(`${name} ${commandArguments.words.join(' ')}`);
  const routing = routeSignals();
  try {
    return await command.run({
      parsed: commandArguments,
      root: textFlag(parsed, 'root') || undefined,
      cgroupManager: cgroupManager(parsed),
      log,
      signal: routing.signal,
      print,
      forwardSignals: routing.forwardTo,
    });
  } catch (error) {
    if (command.failure === undefined || error instanceof Interruption) throw error;
    reportError(log, error, command.failure.prefix);
    return command.failure.exitCode;
  } finally {
    routing.stop();
  }
}

/** Runs the command line and returns the exit code; 1 after a failure, which is written to the log. */
export async function main(argv: readonly string[], output: Output = processOutput): Promise<number> {
  const { standardOutput, standardError } = output;
  let log = openLog({ format: 'text', level: 'warning', standardError });
  try {
    const parsed = parseArguments(argv, { flags: globalFlags, interspersed: false });
    if (parsed.flags.has('version')) {
      standardOutput((await import('./version.ts')).versionText());
      return 0;
    }
    if (parsed.flags.has('help') || parsed.words.length === 0 || parsed.words[0] === 'help') {
      standardOutput((await import('./help.ts')).globalHelp(globalFlags));
      return 0;
    }
    log = openGlobalLog(parsed, output);
    return await runCommand(parsed, log, standardOutput);
  } catch (error) {
    if (error instanceof Interruption) {
      log.error(error.message);
      return error.exitCode;
    }
    reportError(log, error);
    return 1;
  }
}
