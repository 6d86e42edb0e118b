export type * from './cgroup/stats/types.ts';
export { type Container, type LaunchBundle, type LaunchOptions, launch } from './container.ts';
export { type RunWithOptions, runWith } from './engines/run-with.ts';
export { defaultStateRoot, type RuntimeEnvironment } from './env.ts';
export * from './errors.ts';
export { type ExecOptions, type ExecProcess, exec } from './exec.ts';
export type { StdioOption, TerminalSize } from './init/index.ts';
export { reaperBinary, withReaper } from './init/reaper.ts';
export { type CheckpointOptions, checkpoint } from './lifecycle/checkpoint.ts';
export type { LifecycleOptions } from './lifecycle/context.ts';
export { type CreateOptions, create } from './lifecycle/create.ts';
export { type ContainerEvent, type EventsOptions, events } from './lifecycle/events.ts';
export { type ExitStatus, exitStatus } from './lifecycle/exit.ts';
export { type KillOptions, kill } from './lifecycle/kill.ts';
export { addMounts, removeMounts } from './lifecycle/mounts.ts';
export type { NotifyOptions } from './lifecycle/notify.ts';
export { pause, resume } from './lifecycle/pause.ts';
export { processes } from './lifecycle/processes.ts';
export { type RemoveOptions, remove } from './lifecycle/remove.ts';
export { type RestoreOptions, restore, restoreDetached } from './lifecycle/restore.ts';
export { type RunOptions, run, runDetached } from './lifecycle/run.ts';
export { start } from './lifecycle/start.ts';
export { list, state } from './lifecycle/state.ts';
export { stats } from './lifecycle/stats.ts';
export { update } from './lifecycle/update.ts';
export { networkOf, releaseNetworks } from './network/disconnect.ts';
export {
  type HostEntry,
  hostsFile,
  type NameServers,
  resolverFile,
  usesLocalResolver,
} from './network/etc-files.ts';
export { formatPort } from './network/format-port.ts';
export { defaultNetwork, type NetworkHelper, networkHelpers, requireNetwork } from './network/helpers.ts';
export type * from './network/types.ts';
export { slirpNameserver } from './network/user-mode/addresses.ts';
export { parseSignal, signalName } from './process/signal.ts';
export type { ContainerStatus, State } from './state/record.ts';
