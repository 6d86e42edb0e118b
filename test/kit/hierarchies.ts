import { readFileSync } from 'node:fs';

/**
 * The controllers of cgroup hierarchies that exist and are mounted nowhere, as one that was used and unmounted does for
 * a while; `''` is version 2. Nobody can join a group there, and some tools want all of them.
 */
export function unmountedHierarchies(): readonly string[] {
  const isMounted = (controllers: string): boolean =>
    mounts().some(([, , type, options = '']) =>
      controllers === '' ? type === 'cgroup2' : type === 'cgroup' && options.endsWith(`,${controllers}`),
    );
  return readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(':')[1] ?? '')
    .filter((controllers) => !isMounted(controllers));
}

/** Where cgroup hierarchies are mounted, of both versions. */
export function hierarchyMounts(): readonly string[] {
  return mounts().flatMap(([, path = '', type = '']) => (/^cgroup2?$/.test(type) ? [path] : []));
}

function mounts(): readonly (readonly string[])[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.map((line) => line.split(' '));
}
