import { statSync } from 'node:fs';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import type { CgroupRecord } from '../cgroup/index.ts';
import type { ExternalMount } from './mounts.ts';
import { type CriuSettings, commonOptions, externalNamespaces, joinedNamespaces } from './options.ts';
import { criuFds, encodeRequest, message } from './request.ts';

/** What a checkpoint alone is told. */
export interface DumpSettings extends CriuSettings {
  /** A former image, from the image path on, of which only what changed since is written. */
  readonly parentPath?: string | undefined;
  /** Let the container run on. */
  readonly leaveRunning?: boolean | undefined;
  /** Write memory alone, and let the container run on. */
  readonly preDump?: boolean | undefined;
  readonly tcpSkipInFlight?: boolean | undefined;
  readonly linkRemap?: boolean | undefined;
  /** Send memory to a page server instead of writing it. */
  readonly pageServer?: { readonly address: string; readonly port: number } | undefined;
  /** A descriptor of this process that gets a byte when lazy pages can be asked for. */
  readonly statusFd?: number | undefined;
}

/** The container whose state is written. */
export interface DumpParts {
  readonly pid: number;
  readonly spec: RuntimeSpec;
  readonly rootfs: string;
  readonly mounts: readonly ExternalMount[];
  readonly cgroup: CgroupRecord | undefined;
  readonly logFile: string;
}

/** Freezing the container as a whole is quicker and surer than stopping its processes one by one. */
function freezer(cgroup: CgroupRecord | undefined): string | undefined {
  const directories = cgroup?.directories ?? [];
  const own = directories.find(({ controllers }) => controllers.includes('freezer'));
  return (own ?? directories.find(({ version }) => version === 'v2'))?.path;
}

/** What criu is asked for to write a container's state, and the files that it inherits for it. */
export function dumpRequest(
  settings: DumpSettings,
  parts: DumpParts,
): { readonly request: Uint8Array; readonly inherited: readonly string[] } {
  const { pageServer, statusFd } = settings;
  const namespaces = joinedNamespaces(parts.spec).map(
    ({ type, path }) =>
      `${type === 'network' ? 'net' : 'pid'}[${statSync(path).ino}]:${externalNamespaces[type]}`,
  );
  const request = encodeRequest(settings.preDump ? 'preDump' : 'dump', {
    ...commonOptions(settings, parts),
    pid: parts.pid,
    freezeCgroup: freezer(parts.cgroup),
    external: [...parts.mounts.map(({ path }) => `mnt[${path}]:${path}`), ...namespaces],
    leaveRunning: settings.leaveRunning,
    trackMemory: settings.preDump === true || settings.parentPath !== undefined,
    parent: settings.parentPath,
    skipInFlight: settings.tcpSkipInFlight,
    linkRemap: settings.linkRemap,
    pageServer: pageServer && message([1, pageServer.address], [2, pageServer.port]),
    statusFd: statusFd === undefined ? undefined : criuFds.inherited,
  });
  const inherited = statusFd === undefined ? [] : [`/proc/${process.pid}/fd/${statusFd}`];
  return { request, inherited };
}
