import type { Device } from '@ocijs/bundle/spec';
import { conflict, type PlanContext } from './context.ts';
import { deviceFlags, onlyFlag } from './format.ts';
import { containerPath } from './mount-targets.ts';
import { initStep, type Step } from './step.ts';

const fileTypes = { c: 0o020000, u: 0o020000, b: 0o060000, p: 0o010000 } as const;

/** The devices that every container has (runtime-spec `config-linux.md`, "Default Devices"). */
export const defaultDevices: readonly Device[] = (
  [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const
).map(([name, major, minor]) => ({ type: 'c', path: `/dev/${name}`, major, minor }));

const links: readonly (readonly [path: string, target: string])[] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
];

function deviceStep(
  context: PlanContext,
  device: Device,
  place: { jsonPath?: string; isDefault: boolean },
): Step {
  const path = containerPath(device.path);
  if (path === '/') throw conflict(`${place.jsonPath}.path`, 'must not be the root itself');
  const major = device.major ?? 0;
  const minor = device.minor ?? 0;
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
    throw conflict(`${place.jsonPath}.major`, `or minor is no device number: ${major}:${minor}`);
  }
  const isBound = device.type !== 'p' && (context.created.has('user') || context.joined.has('user'));
  return initStep('device', {
    purpose: `make the device ${JSON.stringify(path)}`,
    jsonPath: place.jsonPath,
    fields: {
      path,
      source: path,
      mode: fileTypes[device.type] | (device.fileMode ?? 0o666),
      major,
      minor,
      uid: device.uid ?? 0,
      gid: device.gid ?? 0,
      flags: (isBound ? deviceFlags.bind : 0) | (place.isDefault ? deviceFlags.default : 0),
    },
  });
}

function linkStep(path: string, target: string, flags = 0): Step {
  return initStep('symlink', {
    purpose: `link ${JSON.stringify(path)}`,
    fields: { path, text: target, flags },
  });
}

/**
 * The content of /dev: default devices, those of the configuration in their place or besides, and links. Nothing is put
 * into a /dev that the configuration mounts from the host.
 */
export function planDevices(
  context: PlanContext,
  { hasBoundDev }: { readonly hasBoundDev: boolean },
): Step[] {
  if (hasBoundDev) return [];
  const configured = context.input.spec.linux?.devices ?? [];
  const paths = new Set(configured.map(({ path }) => containerPath(path)));
  const kcore = context.input.host.hasKcore ? [linkStep('/dev/core', '/proc/kcore')] : [];
  return [
    ...defaultDevices
      .filter(({ path }) => !paths.has(path))
      .map((device) => deviceStep(context, device, { isDefault: true })),
    ...configured.map((device, index) =>
      deviceStep(context, device, { isDefault: false, jsonPath: `$.linux.devices[${index}]` }),
    ),
    ...kcore,
    ...links.map(([path, target]) => linkStep(path, target)),
    linkStep('/dev/ptmx', 'pts/ptmx', onlyFlag),
  ];
}
