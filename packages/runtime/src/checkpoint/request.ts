import { encodeProtobuf, type FieldValue, type Message } from './protobuf.ts';

/** What criu is asked for. */
export const requestTypes = { dump: 1, restore: 2, preDump: 4 } as const;

/** How much criu has to do with cgroups (`--manage-cgroups-mode`). */
export const cgroupModes = { ignore: 0, soft: 3, full: 4, strict: 5 } as const;

/** The options of criu's RPC that are used, by the numbers of their fields (criu's `rpc.proto`, criu_opts). */
const optionFields = {
  imagesFd: 1,
  pid: 2,
  leaveRunning: 3,
  extUnixSockets: 4,
  tcpEstablished: 5,
  shellJob: 7,
  fileLocks: 8,
  logLevel: 9,
  logFile: 10,
  pageServer: 11,
  notify: 12,
  root: 13,
  parent: 14,
  trackMemory: 15,
  autoDedup: 16,
  workFd: 17,
  linkRemap: 18,
  manageCgroups: 24,
  cgroupRoot: 25,
  sibling: 26,
  inherited: 27,
  externalMasters: 30,
  cgroupMode: 34,
  external: 37,
  emptyNamespaces: 38,
  freezeCgroup: 44,
  skipInFlight: 46,
  lazyPages: 48,
  statusFd: 49,
  orphanTerminal: 50,
  configFile: 51,
  securityProfile: 53,
} as const;

/** Options of a request by name. */
export type CriuOptions = Readonly<Partial<Record<keyof typeof optionFields, FieldValue>>>;

/** Descriptors of the process that talks to criu, and what more it opens; `native/criu.h` has the same. */
export const criuFds = { images: 900, work: 901, inherited: 910 } as const;

/** A message of fields in their order. */
export function message(...fields: readonly (readonly [number, FieldValue])[]): Message {
  return new Map(fields);
}

/** The bytes of a request. False and empty values are left out: they are criu's defaults. */
export function encodeRequest(type: keyof typeof requestTypes, options: CriuOptions): Uint8Array {
  const fields = Object.entries(optionFields).flatMap(([name, field]) => {
    const value = options[name as keyof typeof optionFields];
    const isSet = value !== undefined && value !== false && value !== '';
    return isSet ? [[field, value] as const] : [];
  });
  return encodeProtobuf(message([1, requestTypes[type]], [2, message(...fields)]));
}

/** True for the name of a mode. */
export function isCgroupMode(name: string): name is keyof typeof cgroupModes {
  return Object.hasOwn(cgroupModes, name);
}
