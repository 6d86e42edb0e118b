import { compileNotifyPlan, type NotifyPlanInput } from '../plan/notify.ts';
import { runPlan } from './monitor.ts';

/** A container's socket for sd_notify(3) that is there. */
export interface Readiness {
  /** Settles when the service manager was told, or the container has ended without having been ready. */
  readonly told: Promise<void>;
}

/**
 * Makes the socket on which a container says that it is ready, and passes that on. Throws ERR_OCI_INIT_FAILED, also later, from
 * `told`; aborting ends the wait.
 */
export async function awaitReadiness(
  options: NotifyPlanInput & { readonly signal?: AbortSignal | undefined },
): Promise<Readiness> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const told = runPlan(compileNotifyPlan(options), {
    stdio: ['ignore', 'ignore', 'ignore'],
    terminal: false,
    lifetime: 'detached',
    onCreated: async () => resolve(),
    signal: options.signal,
  }).then(() => undefined);
  await Promise.race([promise, told]);
  return { told };
}
