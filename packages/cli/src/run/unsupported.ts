import { usageError } from '../errors.ts';

/** Docker's flags that people are likely to try, and why they are not here. */
const reasons: Readonly<Record<string, string>> = {
  publish: 'containers have their own network with loopback only; use --network host',
  'publish-all': 'containers have their own network with loopback only; use --network host',
  init: 'the command itself is process 1',
  restart: 'nothing restarts containers; use a service manager',
  gpus: 'pass device files with --device',
  'volumes-from': 'mount host directories with --volume',
  link: 'containers have their own network with loopback only',
  'add-host': 'mount a hosts file with --volume',
  dns: 'mount a resolv.conf with --volume',
  userns: 'ordinary users get a user namespace, root does not',
  pid: 'containers always have their own process ids',
  ipc: 'containers always have their own ipc namespace',
  runtime: 'there is one runtime',
};

const chars: Readonly<Record<string, string>> = { p: 'publish', P: 'publish-all' };

/** Refuses Docker flags that this version does not have, with the reason; other unknown flags are left to the parser. */
export function refuseUnsupported(flags: readonly string[]): void {
  for (const flag of flags) {
    const name = flag.startsWith('--') ? flag.slice(2).split('=', 1)[0] : chars[flag.slice(1, 2)];
    if (name === undefined || !flag.startsWith('-')) continue;
    const reason = Object.hasOwn(reasons, name) ? reasons[name] : undefined;
    if (reason !== undefined) throw usageError(`flag --${name} is not supported`, reason);
  }
}
