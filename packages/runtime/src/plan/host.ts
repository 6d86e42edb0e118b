import type { ProcessContext } from './context.ts';
import type { PlanHeader } from './encode.ts';
import { planFlags, sections } from './format.ts';
import { planListener } from './listener.ts';
import { initStep, type Step, type StepMaker, stepsOf } from './step.ts';

/** What the monitor prepares for the process's streams, and how it reports the end. */
export function planStreams(context: ProcessContext): Step[] {
  const { pipes, exitFile, consoleSocket, pidfdSocket } = context.input;
  const step = stepsOf('host');
  return [
    ...(pipes === 0 ? [] : [step('pipes', { purpose: 'make pipes', fields: { flags: pipes } })]),
    step('notDumpable', { purpose: 'hide the monitor from debuggers' }),
    ...(exitFile === undefined
      ? []
      : [
          step('exitFile', {
            purpose: 'keep the exit file',
            fields: { path: exitFile, source: `${exitFile}.new` },
          }),
        ]),
    ...(consoleSocket === undefined
      ? []
      : [
          step('consoleSocket', {
            purpose: `connect to the console socket ${JSON.stringify(consoleSocket)}`,
            fields: { path: consoleSocket },
          }),
        ]),
    ...(pidfdSocket === undefined
      ? []
      : [
          step('pidfdSocket', {
            purpose: `connect to the pidfd socket ${JSON.stringify(pidfdSocket)}`,
            fields: { path: pidfdSocket },
          }),
        ]),
    ...planListener(context),
  ];
}

/** The score by which the kernel chooses whom to kill when memory runs out. */
export function planOomScore(context: ProcessContext): Step[] {
  const score = context.input.spec.process?.oomScoreAdj;
  if (score === undefined) return [];
  return [
    stepsOf('attend')('oomScore', {
      purpose: `set the OOM score to ${score}`,
      jsonPath: '$.process.oomScoreAdj',
      fields: { value: String(score) },
    }),
  ];
}

/** Has the monitor carry out a section, if there is anything in it. */
export function ask(
  section: keyof typeof sections,
  steps: readonly Step[],
  options: { readonly dumpable: boolean; readonly step?: StepMaker },
): Step[] {
  if (steps.length === 0) return [];
  const { dumpable, step = initStep } = options;
  const fields = { number: sections[section], flags: dumpable ? 1 : 0 };
  return [step('ask', { purpose: 'wait for the monitor', fields })];
}

/** A session of its own, and the container's session keyring. */
export function planSession(context: ProcessContext): Step[] {
  const { noNewKeyring, id } = context.input;
  return [
    initStep('session', { purpose: 'start a session' }),
    ...(noNewKeyring
      ? []
      : [initStep('keyring', { purpose: 'make a session keyring', fields: { text: `_ses.${id}` } })]),
  ];
}

/** Gives the standard streams to the process's user. */
export function planStdio(context: ProcessContext): Step[] {
  const { process } = context.input.spec;
  return [
    initStep('stdio', {
      purpose: "give the standard streams to the container's user",
      fields: { uid: process?.user?.uid ?? 0, flags: process?.terminal === true ? 1 : 0 },
    }),
  ];
}

/** The head of a plan. */
export function planHeader(
  context: ProcessContext,
  clone: { readonly cloneFlags: number; readonly joiner: boolean },
): PlanHeader {
  const { lifetime, hostSession, consoleSocket, spec, preserveFds } = context.input;
  const relays = lifetime === 'attached' && spec.process?.terminal === true && consoleSocket === undefined;
  const flags =
    (lifetime === 'attached' ? planFlags.attached : 0) |
    (hostSession ? planFlags.hostSession : 0) |
    (relays ? planFlags.relay : 0) |
    (clone.joiner ? planFlags.joiner : 0);
  return { flags, cloneFlags: clone.cloneFlags, preservedFds: preserveFds };
}
