import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { type CriuOptions, cgroupModes, criuFds, message } from './request.ts';

/** What checkpoint and restore have in common; the names are those of criu's and runc's flags. */
export interface CriuSettings {
  /** Where the images are, or go. */
  readonly imagePath: string;
  /** Where criu's logs go; beside the images by default. */
  readonly workPath?: string | undefined;
  readonly tcpEstablished?: boolean | undefined;
  readonly extUnixSockets?: boolean | undefined;
  readonly shellJob?: boolean | undefined;
  readonly fileLocks?: boolean | undefined;
  /** What criu does about cgroups; `soft` by default: it restores what is not there. */
  readonly cgroupsMode?: keyof typeof cgroupModes | undefined;
  /** Leave what is in these namespaces to others. */
  readonly emptyNamespaces?: readonly 'network'[] | undefined;
  readonly autoDedup?: boolean | undefined;
  readonly lazyPages?: boolean | undefined;
  /** The program criu; `$OCI_CRIU`, or where it is usually installed, by default. */
  readonly criu?: string | undefined;
}

const networkNamespace = 0x40000000;

/** Everything that criu writes about what it does, but for the contents of memory. */
const logLevel = 4;

/** Namespaces that were joined by path are the host's affair; the keys are those of runc. */
export const externalNamespaces = { network: 'extRootNetNS', pid: 'extRootPidNS' } as const;

/** The namespaces of a configuration that criu must leave alone. */
export function joinedNamespaces(
  spec: RuntimeSpec,
): readonly { readonly type: keyof typeof externalNamespaces; readonly path: string }[] {
  return (spec.linux?.namespaces ?? []).flatMap(({ type, path }) =>
    path && (type === 'network' || type === 'pid') ? [{ type, path }] : [],
  );
}

/** The part of a request that follows from the settings. */
export function commonOptions(
  settings: CriuSettings,
  container: { readonly spec: RuntimeSpec; readonly logFile: string; readonly rootfs: string },
): CriuOptions {
  const { spec, logFile, rootfs } = container;
  return {
    imagesFd: criuFds.images,
    workFd: criuFds.work,
    logLevel,
    logFile,
    root: rootfs,
    tcpEstablished: settings.tcpEstablished,
    extUnixSockets: settings.extUnixSockets,
    shellJob: settings.shellJob,
    fileLocks: settings.fileLocks,
    autoDedup: settings.autoDedup,
    lazyPages: settings.lazyPages,
    manageCgroups: settings.cgroupsMode !== 'ignore',
    cgroupMode: cgroupModes[settings.cgroupsMode ?? 'soft'],
    emptyNamespaces: settings.emptyNamespaces?.length ? networkNamespace : undefined,
    externalMasters: true,
    orphanTerminal: true,
    configFile: spec.annotations?.['org.criu.config'],
  };
}

/** A descriptor that restored processes get in the place of one that the images name. */
export function inheritedFd(key: string, fd: number): ReturnType<typeof message> {
  return message([1, key], [2, fd]);
}
