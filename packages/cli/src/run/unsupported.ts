import { usageError } from '../errors.ts';

/** Docker's flags that people are likely to try, and why they are not here. */
const reasons: Readonly<Record<string, string>> = {
  restart:
    'nothing here runs for ever to restart containers; a service manager does it better: see docs/guides/containers.md',
  gpus: 'pass device files with --device',
  'volumes-from': 'mount host directories with --volume',
  link: 'containers do not find each other by name; publish ports, or share a network with --network container:NAME',
  ip: 'addresses are given in their order; use --hostname and --add-host',
  'network-alias': 'there are no named networks',
  userns: 'ordinary users get a user namespace, root does not',
  'log-driver': 'the output of containers in the background is in a file; see `oci logs`',
  'log-opt': 'the output of containers in the background is in a file; see `oci logs`',
};

/** Refuses Docker flags that this version does not have, with the reason; other unknown flags are left to the parser. */
export function refuseUnsupported(flags: readonly string[]): void {
  for (const flag of flags) {
    const name = flag.startsWith('--') ? flag.slice(2).split('=', 1)[0] : undefined;
    if (name === undefined) continue;
    const reason = Object.hasOwn(reasons, name) ? reasons[name] : undefined;
    if (reason !== undefined) throw usageError(`flag --${name} is not supported`, reason);
  }
}
