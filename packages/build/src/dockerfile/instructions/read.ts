import { suggest } from '@ocijs/image/suggest';
import { parseDuration } from '../../units.ts';
import { instructionNames } from '../syntax/grammar.ts';
import type { InstructionNode } from '../syntax/parse.ts';
import { type InstructionContext, refuse } from './context.ts';
import { readCopy } from './copy.ts';
import { readFlags } from './flags.ts';
import { readRun } from './run.ts';
import type {
  ArgInstruction,
  CommandInstruction,
  FromInstruction,
  HealthcheckInstruction,
  Instruction,
  OnbuildInstruction,
  Pair,
  PairsInstruction,
  ShellInstruction,
} from './types.ts';

type Reader = (context: InstructionContext) => Instruction;

const readers: Readonly<Record<string, Reader>> = {
  ADD: readCopy,
  ARG: readArg,
  CMD: readCommand,
  COPY: readCopy,
  ENTRYPOINT: readCommand,
  ENV: readPairs,
  EXPOSE: (context) => ({ kind: 'expose', values: some(context, 'a port'), node: context.node }),
  FROM: readFrom,
  HEALTHCHECK: readHealthcheck,
  LABEL: readPairs,
  MAINTAINER: (context) => ({ kind: 'maintainer', text: one(context, 'a name'), node: context.node }),
  ONBUILD: readOnbuild,
  RUN: readRun,
  SHELL: readShell,
  STOPSIGNAL: (context) => ({ kind: 'stopsignal', text: one(context, 'a signal'), node: context.node }),
  USER: (context) => ({ kind: 'user', text: one(context, 'a user'), node: context.node }),
  VOLUME: (context) => ({ kind: 'volume', values: volumes(context), node: context.node }),
  WORKDIR: (context) => ({ kind: 'workdir', text: one(context, 'a directory'), node: context.node }),
};

/** The instructions that have flags; all others refuse any. */
const withFlags = new Set(['ADD', 'COPY', 'FROM', 'HEALTHCHECK', 'RUN']);

/**
 * Gives an instruction its meaning. Variables stay as they are written.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` for an unknown instruction or flag, or arguments of the wrong number or form.
 */
export function readInstruction(context: InstructionContext): Instruction {
  const { node } = context;
  const reader = readers[node.name];
  if (reader === undefined) {
    const near = suggest(node.name, instructionNames);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    return refuse(context, `unknown instruction ${node.keyword}`, { token: node.keyword, hint });
  }
  if (!withFlags.has(node.name)) readFlags(context, {});
  return reader(context);
}

function one(context: InstructionContext, what: string): string {
  const [text, ...more] = context.node.values;
  if (text === undefined || more.length > 0) return refuse(context, `${context.node.name} needs ${what}`);
  return text;
}

function some(context: InstructionContext, what: string): readonly string[] {
  const { name, values } = context.node;
  return values.length > 0 ? values : refuse(context, `${name} needs ${what}`);
}

function volumes(context: InstructionContext): readonly string[] {
  const values = some(context, 'a path');
  if (values.some((value) => value.trim() === '')) refuse(context, 'a volume needs a path');
  return values;
}

function readFrom(context: InstructionContext): FromInstruction {
  const { node } = context;
  const flags = readFlags(context, { platform: 'text' });
  const [base, as, stageName, ...more] = node.values;
  const shaped =
    base !== undefined && more.length === 0 && (as === undefined || (as.toLowerCase() === 'as' && stageName));
  if (!shaped)
    refuse(context, 'FROM needs an image, and at most a name after it', { hint: 'write FROM image AS name' });
  if (stageName !== undefined && !/^[a-z][a-z0-9_.-]*$/i.test(stageName))
    refuse(context, `${stageName} is no name for a stage`, {
      token: stageName,
      hint: 'a letter, then letters, digits, and the characters _ . -',
    });
  const platform = flags.text('platform');
  return {
    kind: 'from',
    node,
    base: base ?? '',
    ...(stageName === undefined ? {} : { stageName: stageName.toLowerCase() }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function readArg(context: InstructionContext): ArgInstruction {
  const declarations = some(context, 'a name').map((word) => {
    const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === '') return refuse(context, 'ARG needs a name before the =', { token: word });
    return value === undefined ? { name } : { name, value };
  });
  return { kind: 'arg', node: context.node, declarations };
}

function readPairs(context: InstructionContext): PairsInstruction {
  const { node } = context;
  const values = some(context, 'a name and a value');
  const pairs: Pair[] = [];
  for (let index = 0; index < values.length; index += 3) {
    const name = values[index] ?? '';
    if (name === '') refuse(context, `${node.name} needs a name before the =`);
    pairs.push({ name, value: values[index + 1] ?? '' });
  }
  return { kind: node.name === 'ENV' ? 'env' : 'label', node, pairs };
}

function readCommand(context: InstructionContext): CommandInstruction {
  const { node } = context;
  return {
    kind: node.name === 'CMD' ? 'cmd' : 'entrypoint',
    node,
    command: { shell: !node.json, arguments: node.values },
  };
}

function readShell(context: InstructionContext): ShellInstruction {
  const { node } = context;
  if (!node.json || node.values.length === 0)
    refuse(context, 'SHELL needs its arguments as JSON', { hint: 'for example SHELL ["/bin/bash", "-c"]' });
  return { kind: 'shell', node, shell: node.values };
}

function readHealthcheck(context: InstructionContext): HealthcheckInstruction {
  const { node } = context;
  const flags = readFlags(context, {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  });
  const duration = (name: string): number => {
    const text = flags.text(name);
    const value = text === undefined ? 0 : parseDuration(text);
    if (value === undefined || (value !== 0 && value < 1e6))
      return refuse(context, `--${name}=${text} is no duration of a millisecond or more`, {
        token: text,
        hint: 'for example 30s',
      });
    return value;
  };
  const retries = flags.text('retries') ?? '0';
  if (!/^\d{1,9}$/.test(retries)) refuse(context, `--retries=${retries} is no number`, { token: retries });
  const [kind = '', ...rest] = node.values;
  const type = kind.toUpperCase();
  if (type === 'NONE' && rest.length > 0) refuse(context, 'HEALTHCHECK NONE has no arguments');
  if (type !== 'NONE' && (type !== 'CMD' || rest.length === 0))
    refuse(context, 'HEALTHCHECK needs NONE, or CMD and a command', {
      token: kind === '' ? undefined : kind,
    });
  return {
    kind: 'healthcheck',
    node,
    test: type === 'NONE' ? ['NONE'] : [node.json ? 'CMD' : 'CMD-SHELL', ...rest],
    interval: duration('interval'),
    timeout: duration('timeout'),
    startPeriod: duration('start-period'),
    startInterval: duration('start-interval'),
    retries: Number(retries),
  };
}

const neverTriggers = new Set(['FROM', 'MAINTAINER', 'ONBUILD']);

function readOnbuild(context: InstructionContext): OnbuildInstruction {
  const { node } = context;
  const trigger: InstructionNode = node.trigger ?? refuse(context, 'ONBUILD needs an instruction');
  if (neverTriggers.has(trigger.name))
    refuse(context, `${trigger.name} cannot be kept by ONBUILD`, { token: trigger.keyword });
  readInstruction({ ...context, node: trigger });
  return { kind: 'onbuild', node, text: node.text.replace(/^\s*ONBUILD\s*/i, '') };
}
