import { join } from 'node:path';
import type { RuntimeSpec } from '@ocijs/bundle';
import { formatPlatform, hostPlatform } from '@ocijs/image';
import { launch } from '@ocijs/runtime';
import { DEFAULT_SHELL } from '../../config/apply-instruction.ts';
import { BuildError } from '../../errors.ts';
import { FAILURE_LINES } from '../../limits.ts';
import type { BuildEnvironment } from '../environment.ts';
import { containers } from '../scratch.ts';
import type { StageState } from '../stage-state.ts';
import { readLines } from './output-lines.ts';
import type { RunStep } from './run-step.ts';

interface RunBundle {
  readonly directory: string;
  readonly config: RuntimeSpec;
}

/** Runs the command of a step to its end. Throws `ERR_OCI_BUILD_STEP_FAILED`, after whoever wants to has looked around. */
export async function runContainer(
  environment: BuildEnvironment,
  state: StageState,
  step: RunStep & { readonly bundle: RunBundle },
): Promise<void> {
  const { options, scratch } = environment;
  const { signal, onEvent, onStepFailed } = options;
  const { place, createdBy, bundle } = step;
  const root = join(scratch, containers);
  const last: string[] = [];
  const tell = (stream: 'stdout' | 'stderr') => (line: string) => {
    last.push(line);
    if (last.length > FAILURE_LINES) last.shift();
    onEvent?.({ type: 'step-output', ...place, stream, line });
  };
  await using container = await launch(bundle, {
    stdio: ['ignore', 'pipe', 'pipe'],
    root,
    ...(signal === undefined ? {} : { signal }),
  });
  const { stdout, stderr } = container;
  const output = Promise.all([
    stdout === undefined ? undefined : readLines(stdout, tell('stdout')),
    stderr === undefined ? undefined : readLines(stderr, tell('stderr')),
  ]);
  const { exitCode, signal: killedBy } = await container.wait(signal === undefined ? {} : { signal });
  await output;
  if (exitCode === 0 && killedBy === undefined) return;
  const how = killedBy === undefined ? `with exit code ${exitCode}` : `by ${killedBy}`;
  const error = new BuildError(
    'ERR_OCI_BUILD_STEP_FAILED',
    [`stage ${place.stage}, step ${place.step} ended ${how}: ${createdBy}`, ...last].join('\n  '),
    {
      status: exitCode,
      hint: foreignHint(step, last) ?? 'the last lines of its output are above',
    },
  );
  const [shell = '/bin/sh'] = state.config.config.Shell ?? DEFAULT_SHELL;
  await onStepFailed?.({
    ...place,
    error,
    async run({ args = [shell], terminal, stdio = 'inherit' } = {}) {
      await using look = await launch(bundle, {
        args,
        root,
        stdio,
        ...(terminal === undefined ? {} : { terminal }),
        ...(signal === undefined ? {} : { signal }),
      });
      return (await look.wait(signal === undefined ? {} : { signal })).exitCode;
    },
  });
  throw error;
}

/** What helps when the programs of the image are for another machine than this one. */
function foreignHint({ planned: { platform } }: RunStep, output: readonly string[]): string | undefined {
  const isForeign = platform.architecture !== hostPlatform().architecture;
  if (!isForeign || !output.some((line) => /exec format error/i.test(line))) return undefined;
  return `this host runs no programs for ${formatPlatform(platform)}: register an emulator with binfmt_misc (on Debian: apt-get install qemu-user-static), or cross-compile in a stage FROM --platform=$BUILDPLATFORM`;
}
