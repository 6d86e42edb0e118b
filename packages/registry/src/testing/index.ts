export type { Fault, FaultKind, FaultPlan, SeenRequest } from './fault.ts';
export {
  type FaultProxy,
  type FaultProxyOptions,
  type RecordedRequest,
  startFaultProxy,
} from './fault-proxy.ts';
export { type ScriptedFault, scripted } from './scripted.ts';
export { type SeededOptions, seeded } from './seeded.ts';
export { type StartTestRegistryOptions, startTestRegistry, type TestRegistry } from './test-registry.ts';
