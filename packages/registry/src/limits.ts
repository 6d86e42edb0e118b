/** Every limit of the client, in bytes, milliseconds or counts, as the name says. */
export const limits = {
  /**
   * distribution-spec: registries accept manifests of at least 4 MiB, and none of the known ones takes more.
   */
  manifestBytes: 4_194_304,
  configBytes: 8_388_608,
  tokenBytes: 65_536,
  errorBytes: 65_536,
  /** Lists of tags and of repositories. */
  listPageBytes: 8_388_608,
  listPages: 1_000,
  listNames: 1_000_000,
  namesPerPage: 1_000,
  referrerPages: 100,
  /** Referrers of one manifest, over all pages. */
  referrers: 10_000,
  /** Referrers of referrers. */
  referrerDepth: 8,
  referrerNodes: 1_000,
  /** Files of an artifact. */
  artifactFiles: 10_000,
  authFileBytes: 1_048_576,
  certificateFileBytes: 1_048_576,
  /** A key for signatures. */
  keyFileBytes: 65_536,
  /** Places with signatures of one image that are looked at. */
  signatures: 256,
  /** Signatures in one artifact. */
  signatureLayers: 32,
  /** The document that a signature is over; real ones have a few hundred bytes. */
  signaturePayloadBytes: 131_072,
  signatureBundleBytes: 1_048_576,
  /** A GPG signature with the document that it is over. */
  gpgSignatureBytes: 262_144,
  /** Signatures of one image in a lookaside; containers/image reads no more either. */
  lookasideSignatures: 128,
  /** A file of GPG keys. */
  gpgKeyFileBytes: 1_048_576,
  /** What gpg says of its work, and of what it dislikes. */
  gpgStatusBytes: 1_048_576,
  gpgComplaintBytes: 8_192,
  trustedRootBytes: 4_194_304,
  policyFileBytes: 1_048_576,
  /** One registries.conf, or one file of registries.d. */
  configFileBytes: 1_048_576,
  helperOutputBytes: 65_536,
  redirects: 8,
  /** Manifests below one index, over all levels. */
  indexManifests: 1_000,
  indexDepth: 4,
  /** How much of an unwanted body is read to keep its connection. */
  discardBytes: 65_536,
  /**
   * How much of a body waits in memory while the part before it is written; measured: 64 KiB is a quarter
   * slower.
   */
  readAheadBytes: 262_144,
  /** Repositories that are asked for a mount of one blob. */
  mountAttempts: 3,
  /** Blobs of which a store remembers where they are, and repositories for each. */
  locatedBlobs: 4_096,
  locations: 4,
  locationFileBytes: 4_194_304,
  /** Text of a registry's own message that may enter an error. */
  messageLength: 300,
  warnings: 32,
} as const;

/** Time limits in milliseconds. */
export const timeouts = {
  connect: 15_000,
  /** From the request to the first byte of the answer. */
  headers: 60_000,
  /** The same for a request with a body: some registries copy the blob before they answer. */
  uploadHeaders: 300_000,
  /** Silence in the middle of a body. */
  body: 60_000,
  token: 30_000,
  helper: 30_000,
  /** One signature, or one file of keys. */
  gpg: 30_000,
  /** How long a helper's answer is taken without asking again: short against the lifetime of any token. */
  helperAnswer: 300_000,
  /** How long a loopback registry has to start TLS before plain HTTP is taken. */
  schemeProbe: 2_000,
  cancelUpload: 2_000,
  /** Changing an authentication file takes milliseconds: a lock this old has lost its owner. */
  fileLock: 10_000,
  fileLockPoll: 20,
  retryFirst: 250,
  retryMost: 10_000,
  /** A registry that asks for a longer pause gets an error instead of a silent program. */
  retryAfterMost: 60_000,
  /** How long new transfers wait after a 429 or 503 that names no time. */
  slowDown: 500,
  progress: 100,
} as const;

/**
 * Fetching one blob over several connections. A piece ahead of what is written waits in memory, so that the file
 * has no gaps: some 8 MiB at most.
 */
export const pieces = {
  /** Bytes from which on a blob is fetched in pieces. */
  from: 33_554_432,
  size: 2_097_152,
  /** Connections for one blob. */
  lanes: 3,
} as const;

/** Bytes of the pieces of an upload: 16 MiB, and 256 MiB when a registry insists. */
export const chunks = { size: 16_777_216, most: 268_435_456 } as const;

/** Progress of this many bytes gives a broken download its full number of retries again. */
export const retryResetBytes: number = 1024 * 1024;

/** How many blobs travel at the same time unless the options say otherwise. */
export const defaultConcurrency = 6;

/** How often a failed request is repeated unless the options say otherwise. */
export const defaultRetries = 4;

/** How often a mirror is asked again at most, since there is another place. */
export const mirrorRetries = 1;
