import { setTimeout as delay } from 'node:timers/promises';
import { type RuntimeEnvironment, runtimeEnvironment } from '../env.ts';
import { RuntimeError } from '../errors.ts';
import { systemdJobTimeout } from '../limits.ts';
import { type Bus, BusError, busService, connectBus } from './bus.ts';
import type { Property } from './properties.ts';
import type { Value, Variant } from './signature.ts';

const service = { destination: 'org.freedesktop.systemd1', path: '/org/freedesktop/systemd1' } as const;
const manager = { ...service, interface: 'org.freedesktop.systemd1.Manager' } as const;

/** The socket of the system's bus, or of the user's. */
export function busPath(isUser: boolean, environment: RuntimeEnvironment = runtimeEnvironment()): string {
  if (!isUser) return '/run/dbus/system_bus_socket';
  const address = /(?:^|;)unix:path=([^,;]+)/.exec(environment.DBUS_SESSION_BUS_ADDRESS ?? '')?.[1];
  if (address !== undefined) return decodeURIComponent(address);
  if (environment.XDG_RUNTIME_DIR) return `${environment.XDG_RUNTIME_DIR}/bus`;
  throw new RuntimeError(
    'ERR_OCI_SYSTEMD_UNAVAILABLE',
    'cannot find the bus of the user: no DBUS_SESSION_BUS_ADDRESS',
    {
      hint: 'Log in (or `loginctl enable-linger` and set XDG_RUNTIME_DIR), so that a systemd of the user runs.',
    },
  );
}

/** The manager of units, of the system or of a user, for one operation. */
export interface UnitManager extends Disposable {
  /** The group that all of the manager's units lie in, from the root of the hierarchy. */
  controlGroup(): Promise<string>;
  /** Starts a transient unit and waits until it is there. Throws ERR_OCI_CGROUP_BUSY, ERR_OCI_CGROUP_DENIED. */
  start(unit: string, properties: readonly Property[]): Promise<void>;
  /** Stops a unit and waits for its end; one that is not there is no failure. */
  stop(unit: string): Promise<void>;
  set(unit: string, properties: readonly Property[]): Promise<void>;
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof BusError && error.busName === `org.freedesktop.systemd1.${name}`;
}

/** Results of jobs by their path, kept from the connection's start so that none is missed. */
function watchJobs(bus: Bus): (job: string) => Promise<string> {
  const ended = new Map<string, string>();
  const waiting = new Map<string, (result: string) => void>();
  bus.onSignal(({ member, body }) => {
    if (member !== 'JobRemoved') return;
    const [, job, , result] = body.map(String) as [string, string, string, string];
    ended.set(job, result);
    waiting.get(job)?.(result);
  });
  return async (job) => {
    const known = ended.get(job);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<string>();
    waiting.set(job, resolve);
    const timer = new AbortController();
    const late = delay(systemdJobTimeout, 'timeout', { signal: timer.signal, ref: false }).catch(
      () => 'timeout',
    );
    try {
      return await Promise.race([promise, late]);
    } finally {
      timer.abort();
    }
  };
}

class Manager implements UnitManager {
  readonly #bus: Bus;
  readonly #resultOf: (job: string) => Promise<string>;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.#resultOf = watchJobs(bus);
  }

  async #job(member: string, signature: string, body: readonly Value[]): Promise<string> {
    const [job] = await this.#bus.call({ ...manager, member, signature, body });
    return await this.#resultOf(String(job));
  }

  async controlGroup(): Promise<string> {
    const [value] = await this.#bus.call({
      ...service,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [manager.interface, 'ControlGroup'],
    });
    return String((value as Variant).value).replace(/\/$/, '');
  }

  async #tryStart(unit: string, properties: readonly Property[]): Promise<string> {
    return await this.#job('StartTransientUnit', 'ssa(sv)a(sa(sv))', [unit, 'replace', properties, []]);
  }

  async start(unit: string, properties: readonly Property[]): Promise<void> {
    let result: string;
    try {
      result = await this.#tryStart(unit, properties).catch(async (error: unknown) => {
        if (!isNamed(error, 'UnitExists')) throw error;
        // One that failed stays known by its name until it is forgotten.
        await this.#bus.call({ ...manager, member: 'ResetFailedUnit', signature: 's', body: [unit] });
        return await this.#tryStart(unit, properties);
      });
    } catch (cause) {
      const code = isNamed(cause, 'UnitExists') ? 'ERR_OCI_CGROUP_BUSY' : 'ERR_OCI_CGROUP_DENIED';
      if (!(cause instanceof BusError)) throw cause;
      throw new RuntimeError(code, `systemd does not start ${unit}: ${cause.message}`, {
        actual: cause.busName,
        cause,
      });
    }
    if (result === 'done') return;
    throw new RuntimeError(
      'ERR_OCI_CGROUP_DENIED',
      `systemd does not start ${unit}: the job's result is ${result}`,
      {
        actual: result,
      },
    );
  }

  async stop(unit: string): Promise<void> {
    try {
      await this.#job('StopUnit', 'ss', [unit, 'replace']);
    } catch (error) {
      if (!isNamed(error, 'NoSuchUnit')) throw error;
    }
  }

  async set(unit: string, properties: readonly Property[]): Promise<void> {
    if (properties.length === 0) return;
    try {
      await this.#bus.call({
        ...manager,
        member: 'SetUnitProperties',
        signature: 'sba(sv)',
        body: [unit, true, properties],
      });
    } catch (cause) {
      if (!(cause instanceof BusError)) throw cause;
      throw new RuntimeError('ERR_OCI_CGROUP_DENIED', `systemd does not change ${unit}: ${cause.message}`, {
        actual: cause.busName,
        cause,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#bus[Symbol.dispose]();
  }
}

/** Connects to the manager of the system, or of this user. Throws ERR_OCI_SYSTEMD_UNAVAILABLE. */
export async function connectManager(options: {
  readonly isUser: boolean;
  readonly signal?: AbortSignal | undefined;
}): Promise<UnitManager> {
  const bus = await connectBus(busPath(options.isUser), options.signal);
  const rule = `type='signal',interface='${manager.interface}',member='JobRemoved'`;
  try {
    await bus.call({ ...manager, member: 'Subscribe' });
    await bus.call({ ...busService, member: 'AddMatch', signature: 's', body: [rule] });
    return new Manager(bus);
  } catch (error) {
    bus[Symbol.dispose]();
    throw error;
  }
}
