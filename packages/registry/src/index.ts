export type { ArtifactFile } from './artifact-files.ts';
export { type AttachOptions, type AttachReport, attachArtifact } from './attach-artifact.ts';
export type { BlobBody } from './blobs.ts';
export {
  createRegistryClient,
  type OpenBlobOptions,
  type PutManifestOptions,
  type RegistryClient,
  type UploadBlobOptions,
} from './client.ts';
export { type CopyOptions, copy } from './copy/copy.ts';
export { type LoadOptions, type LoadReport, load } from './copy/load.ts';
export type { CommonLocation, CopyDestinationLocation, CopySourceLocation } from './copy/location.ts';
export type { ManifestFormat } from './copy/media-types.ts';
export type { CopyReport, RecompressedReport, ReferrerReport } from './copy/report.ts';
export { type SaveOptions, save } from './copy/save.ts';
export { type DeleteReport, deleteReference } from './delete.ts';
export { diagnose } from './diagnose/diagnose.ts';
export type { Finding, Verdict } from './diagnose/finding.ts';
export type { Environment } from './env.ts';
export { RegistryError, type RegistryErrorCode, type RegistryErrorDetails } from './errors.ts';
export {
  type ListReferrersOptions,
  listReferrers,
  type ReferrerNode,
  type ReferrerTree,
} from './list-referrers.ts';
export { listRepositories } from './list-repositories.ts';
export { type ListTagsOptions, listTags } from './list-tags.ts';
export { type LoginOptions, type LoginReport, login } from './login.ts';
export { type LogoutOptions, type LogoutReport, logout } from './logout.ts';
export type { CallOptions, FetchedManifest, ManifestHead } from './manifests.ts';
export type { Credentials, RegistryOptions } from './options.ts';
export { type PulledImage, type PullOptions, pull } from './pull.ts';
export { type PullArtifactOptions, type PulledArtifact, pullArtifact } from './pull-artifact.ts';
export { type PushOptions, push } from './push.ts';
export { type RemoteImage, type RemoteOptions, remoteImage, resolveRemote } from './remote-image.ts';
export type { BlobReport, TransferReport } from './report.ts';
export type { VerifiedSignature } from './signature/examine.ts';
export type { SignedIdentity } from './signature/identity.ts';
export type { KeylessTrustOptions } from './signature/keyless/keyless-trust.ts';
export { generateKeyPair, type KeyPair } from './signature/keys/generate-key-pair.ts';
export { readKeyFile } from './signature/keys/key-file.ts';
export {
  type CheckPolicyOptions,
  checkPolicy,
  type PolicyReport,
} from './signature/policy/check-policy.ts';
export { type SignedDigest, type SignOptions, type SignReport, sign } from './signature/sign.ts';
export type { SignatureForm, Signer } from './signature/types.ts';
export { type VerifyOptions, type VerifyReport, verify } from './signature/verify.ts';
export { type ValidateOptions, validate } from './validate.ts';
