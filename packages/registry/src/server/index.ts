export type { RegistryAuth } from './auth.ts';
export type { ServerLimits } from './limits.ts';
export {
  type FinishedRequest,
  type RunningRegistry,
  type StartRegistryOptions,
  startRegistry,
} from './server.ts';
