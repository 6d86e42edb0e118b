export type { RegistryAuth } from './auth/gatekeeper.ts';
export type { ServerLimits } from './limits.ts';
export {
  type FinishedRequest,
  type RegistryTls,
  type RunningRegistry,
  type StartRegistryOptions,
  startRegistry,
} from './server.ts';
