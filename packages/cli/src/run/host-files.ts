import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mount } from '@ocijs/bundle';
import { bindMount } from './mounts.ts';

const loopbackHosts = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];

/**
 * Writes the container's `/etc/hostname` and `/etc/hosts` beside its bundle and returns the mounts that put them in
 * place; with the host's network, the host's own `hosts` and `resolv.conf` are shown instead.
 */
export async function writeHostFiles(
  directory: string,
  { hostname, network }: { readonly hostname: string; readonly network: string },
): Promise<readonly Mount[]> {
  const hostnameFile = join(directory, 'hostname');
  await writeFile(hostnameFile, `${hostname}\n`, { mode: 0o644 });
  const mounts = [fileMount(hostnameFile, '/etc/hostname')];
  if (network === 'host') {
    return [
      ...mounts,
      fileMount('/etc/hosts', '/etc/hosts'),
      fileMount('/etc/resolv.conf', '/etc/resolv.conf'),
    ];
  }
  const hostsFile = join(directory, 'hosts');
  await writeFile(hostsFile, `${[...loopbackHosts, `127.0.0.1\t${hostname}`].join('\n')}\n`, { mode: 0o644 });
  return [...mounts, fileMount(hostsFile, '/etc/hosts')];
}

function fileMount(source: string, destination: string): Mount {
  return bindMount({ source, destination, options: [] });
}
