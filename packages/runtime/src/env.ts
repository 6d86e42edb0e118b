import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The variables of the environment that the runtime reads; nothing else in the package reads any. */
export interface RuntimeEnvironment {
  readonly OCI_ROOT?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly DBUS_SESSION_BUS_ADDRESS?: string | undefined;
  /** The program criu, where it is not installed in the usual places. */
  readonly OCI_CRIU?: string | undefined;
}

/**
 * How many sockets systemd passed to this very process, from descriptor 3 on (sd_listen_fds(3)); 0 when the variables are
 * there for another one.
 */
export function listenFds(
  environment: {
    readonly LISTEN_FDS?: string | undefined;
    readonly LISTEN_PID?: string | undefined;
  } = process.env,
): number {
  const { LISTEN_FDS = '', LISTEN_PID } = environment;
  if (Number(LISTEN_PID) !== process.pid || !/^\d{1,4}$/.test(LISTEN_FDS)) return 0;
  return Number(LISTEN_FDS);
}

/** The socket of the service manager that wants to know when a service is ready (sd_notify(3)). */
export function notifySocket(): string | undefined {
  return process.env['NOTIFY_SOCKET'] || undefined;
}

/** The environment of this process. */
export function runtimeEnvironment(): RuntimeEnvironment {
  const { OCI_ROOT, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, OCI_CRIU } = process.env;
  return { OCI_ROOT, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, OCI_CRIU };
}

/** What the search for network helpers reads: where programs are, and where CNI plugins are. */
export function networkEnvironment(): {
  readonly PATH?: string | undefined;
  readonly CNI_PATH?: string | undefined;
} {
  const { PATH, CNI_PATH } = process.env;
  return { PATH, CNI_PATH };
}

/**
 * Where the state of containers is kept when nobody says: `$OCI_ROOT`, else `/run/oci` for root, else
 * `$XDG_RUNTIME_DIR/oci`, else a directory of the user's own among the temporary files.
 */
export function defaultStateRoot(environment: RuntimeEnvironment = runtimeEnvironment()): string {
  if (environment.OCI_ROOT) return environment.OCI_ROOT;
  const user = process.geteuid?.() ?? 0;
  if (user === 0) return '/run/oci';
  return environment.XDG_RUNTIME_DIR
    ? join(environment.XDG_RUNTIME_DIR, 'oci')
    : join(tmpdir(), `oci-${user}`);
}
