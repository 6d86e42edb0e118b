import { posix } from 'node:path';
import type { ExecutionConfig, Healthcheck } from '@ocijs/image';
import type { Command, HealthcheckInstruction, StageInstruction } from '../dockerfile/instructions/types.ts';
import { BuildError } from '../errors.ts';

/** What the shell form of commands is given to when `SHELL` says nothing else. */
export const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** What programs are looked for in when the base says nothing else. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What containers start with, and whether the stage itself has set the command. */
export interface ConfigState {
  readonly config: ExecutionConfig;
  /** The stage has a `CMD` of its own; without one, `ENTRYPOINT` takes the base's away. */
  readonly ownCommand: boolean;
}

/**
 * The configuration after an instruction whose variables are replaced already. Instructions that change files, or nothing at
 * all (`ARG`), leave it as it is.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` for a port that is none.
 */
export function applyInstruction(state: ConfigState, instruction: StageInstruction): ConfigState {
  const { config } = state;
  const change = (fields: ExecutionConfig): ConfigState => ({ ...state, config: { ...config, ...fields } });
  switch (instruction.kind) {
    case 'env':
      return change({ Env: instruction.pairs.reduce(setVariable, config.Env ?? []) });
    case 'label': {
      const labels = instruction.pairs.map(({ name, value }) => [name, value] as const);
      return change({ Labels: { ...config.Labels, ...Object.fromEntries(labels) } });
    }
    case 'cmd':
      return { ...change({ Cmd: commandLine(instruction.command, config) }), ownCommand: true };
    case 'entrypoint': {
      const { Cmd: _inherited, ...rest } = config;
      const kept = state.ownCommand ? config : rest;
      return { ...state, config: { ...kept, Entrypoint: commandLine(instruction.command, config) } };
    }
    case 'expose':
      return change({ ExposedPorts: withNames(config.ExposedPorts, instruction.values.flatMap(ports)) });
    case 'volume':
      return change({ Volumes: withNames(config.Volumes, instruction.values) });
    case 'user':
      return change({ User: instruction.text });
    case 'workdir':
      return change({ WorkingDir: workingDirectory(config, instruction.text) });
    case 'stopsignal':
      return change({ StopSignal: instruction.text });
    case 'shell':
      return change({ Shell: instruction.shell });
    case 'healthcheck':
      return change({ Healthcheck: healthcheck(instruction) });
    case 'onbuild':
      return change({ OnBuild: [...(config.OnBuild ?? []), instruction.text] });
    case 'settings':
      return { ...state, config: instruction.change(config) };
    default:
      return state;
  }
}

/** The arguments that a command runs with: a shell before the shell form. */
export function commandLine(command: Command, config: ExecutionConfig): readonly string[] {
  return command.shell ? [...(config.Shell ?? DEFAULT_SHELL), ...command.arguments] : command.arguments;
}

/** Where `WORKDIR` leads: a relative one goes on from the one before. */
export function workingDirectory(config: ExecutionConfig, path: string): string {
  return posix.resolve('/', config.WorkingDir ?? '/', path);
}

/** The environment as a map; of several variables of one name the last one counts. */
export function environmentOf(config: ExecutionConfig): ReadonlyMap<string, string> {
  return new Map(
    (config.Env ?? []).map((variable) => [nameOf(variable), variable.slice(nameOf(variable).length + 1)]),
  );
}

function nameOf(variable: string): string {
  const end = variable.indexOf('=');
  return end < 0 ? variable : variable.slice(0, end);
}

function setVariable(
  variables: readonly string[],
  { name, value }: { readonly name: string; readonly value: string },
): readonly string[] {
  const at = variables.findIndex((variable) => nameOf(variable) === name);
  return at < 0 ? [...variables, `${name}=${value}`] : variables.with(at, `${name}=${value}`);
}

function withNames(
  old: Readonly<Record<string, object>> | undefined,
  names: readonly string[],
): Readonly<Record<string, object>> {
  return { ...old, ...Object.fromEntries(names.map((name) => [name, {}])) };
}

/** More would be a mistake, or meant to fill memory. */
const MAX_PORTS = 65_535;

/** `8000-8002/udp` is three ports; without a protocol it is TCP. */
function ports(text: string): readonly string[] {
  const [, first = '', last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (first === '' || low > high || high > MAX_PORTS || !/^(?:tcp|udp|sctp)$/i.test(protocol))
    throw new BuildError('ERR_OCI_DOCKERFILE_INVALID', `${text} is no port`, {
      hint: 'for example 80, 53/udp, or 8000-8010',
    });
  return Array.from({ length: high - low + 1 }, (_, index) => `${low + index}/${protocol.toLowerCase()}`);
}

function healthcheck(instruction: HealthcheckInstruction): Healthcheck {
  const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const fields = {
    Interval: interval,
    Timeout: timeout,
    StartPeriod: startPeriod,
    StartInterval: startInterval,
    Retries: retries,
  };
  return { Test: test, ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0)) };
}
