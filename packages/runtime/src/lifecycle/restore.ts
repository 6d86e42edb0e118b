import { checkpointDirectories, makePrivateDirectory } from '../checkpoint/directories.ts';
import { readFacts } from '../checkpoint/facts.ts';
import { criuFailure } from '../checkpoint/failure.ts';
import { restoredMounts } from '../checkpoint/mounts.ts';
import type { CriuSettings } from '../checkpoint/options.ts';
import { findCriu } from '../checkpoint/program.ts';
import { restoreRequest } from '../checkpoint/restore-request.ts';
import { prepareTargets } from '../checkpoint/targets.ts';
import { runtimeEnvironment } from '../env.ts';
import { startCriu } from '../init/index.ts';
import { conflict } from '../plan/context.ts';
import { removeAfterExit } from './attached.ts';
import type { CreateOptions } from './create.ts';
import type { PreparedContainer } from './creation.ts';
import type { ExitStatus } from './exit.ts';
import { type ContainerSource, makeContainer } from './make-container.ts';
import type { RunOptions } from './run.ts';

/** Options of {@link restoreDetached}. */
export interface RestoreDetachedOptions
  extends Omit<ContainerSource, 'noNewKeyring'>,
    Pick<CreateOptions, 'stdio'>,
    CriuSettings {
  /** A label of a security module instead of the one in the images: `apparmor:NAME` or `selinux:LABEL`. */
  readonly lsmProfile?: string | undefined;
}

/** Options of {@link restore}. */
export interface RestoreOptions extends RestoreDetachedOptions, Pick<RunOptions, 'onStarted'> {}

const inherit = ['inherit', 'inherit', 'inherit'] as const;
const logFile = 'restore.log';

async function prepareRestore(
  id: string,
  options: RestoreDetachedOptions & { readonly lifetime: 'attached' | 'detached' },
): Promise<PreparedContainer> {
  const criu = findCriu(options.criu ?? runtimeEnvironment().OCI_CRIU);
  const { images, work } = checkpointDirectories(options);
  const { descriptors, hasTerminal, ...facts } = readFacts(images);
  makePrivateDirectory(work);
  return await makeContainer(id, {
    ...options,
    startFirst: async ({ creation, bundle, filter: _, ...parts }) => {
      const { cgroup } = creation.record;
      const { directory, rootfs, spec } = bundle;
      if (hasTerminal !== (spec.process?.terminal === true)) {
        throw conflict('$.process.terminal', `must be ${hasTerminal}, as it was in the checkpoint`);
      }
      const mounts = restoredMounts(facts.mounts, { spec, bundle: directory, cgroup });
      prepareTargets(rootfs, mounts, spec);
      try {
        return await startCriu({
          ...parts,
          ...{ id, spec, bundle: directory, rootfs, criu, images, work },
          ...restoreRequest(options, { spec, rootfs, descriptors, mounts, cgroup, logFile }),
          stdio: options.stdio ?? inherit,
          lifetime: options.lifetime,
          consoleSocket: options.consoleSocket,
          signal: options.signal,
        });
      } catch (error) {
        throw criuFailure(error, { what: 'restore the container', work, logFile });
      }
    },
  });
}

/**
 * Restores a container from what `checkpoint` wrote, waits for its end and deletes it. Its configuration is the bundle's, its
 * processes are as they were. Throws ERR_OCI_CHECKPOINT_INVALID, ERR_OCI_CRIU_MISSING, ERR_OCI_CRIU_FAILED, and what
 * `create` throws.
 */
export async function restore(id: string, options: RestoreOptions): Promise<ExitStatus> {
  const container = await prepareRestore(id, { ...options, lifetime: 'attached' });
  return await removeAfterExit(container, { ...options, root: container.root }, async () =>
    options.onStarted?.(container.init.pid),
  );
}

/** Restores a container that outlives this process; returns its init's process id. Throws as {@link restore}. */
export async function restoreDetached(id: string, options: RestoreDetachedOptions): Promise<number> {
  const { init } = await prepareRestore(id, { ...options, lifetime: 'detached' });
  return init.pid;
}
