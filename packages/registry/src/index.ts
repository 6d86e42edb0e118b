export type { BlobBody } from './blobs.ts';
export {
  createRegistryClient,
  type OpenBlobOptions,
  type PutManifestOptions,
  type RegistryClient,
  type UploadBlobOptions,
} from './client.ts';
export type { Environment } from './env.ts';
export { RegistryError, type RegistryErrorCode, type RegistryErrorDetails } from './errors.ts';
export { listTags } from './list-tags.ts';
export { type LoginOptions, type LoginReport, login } from './login.ts';
export { type LogoutOptions, type LogoutReport, logout } from './logout.ts';
export type { CallOptions, FetchedManifest, ManifestHead } from './manifests.ts';
export type { Credentials, RegistryOptions } from './options.ts';
export { type PulledImage, type PullOptions, pull } from './pull.ts';
export { type PushOptions, push } from './push.ts';
export { type RemoteImage, type RemoteOptions, remoteImage, resolveRemote } from './remote-image.ts';
export type { BlobReport, TransferReport } from './report.ts';
