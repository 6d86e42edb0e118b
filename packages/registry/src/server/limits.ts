/** What one client may make the embedded registry hold or do; sizes in bytes, times in milliseconds. */
export interface ServerLimits {
  /** Largest manifest accepted; distribution-spec asks for at least 4 MiB. */
  readonly manifestSize: number;
  /** Largest blob accepted, also for the sum of a chunked upload's parts. */
  readonly blobSize: number;
  /** Largest page of referrers; a single larger entry still gets a page of its own. */
  readonly referrersPage: number;
  /** Upload sessions open at one time. */
  readonly uploads: number;
  /** An upload session that nobody wrote to for so long is dropped. */
  readonly uploadIdle: number;
  /** A connection without any byte for so long is closed. */
  readonly socketIdle: number;
  /** How long `close()` lets running requests finish. */
  readonly closeGrace: number;
}

export const defaultServerLimits: ServerLimits = {
  manifestSize: 4 * 1024 * 1024,
  blobSize: 64 * 1024 ** 3,
  referrersPage: 2 * 1024 * 1024,
  uploads: 256,
  uploadIdle: 60 * 60 * 1000,
  socketIdle: 60 * 1000,
  closeGrace: 1000,
};

/** How many bytes of a refused request body are read so that the client sees the answer instead of a reset. */
export const drainLimit: number = 16 * 1024 * 1024;

/** How many manifests one lookup walks through below the named ones. */
export const closureLimit = 10_000;

/** How many entries one page of tags or repositories has at most. */
export const pageLimit = 10_000;

/** How many issued bearer tokens, and how many refresh tokens, are remembered. */
export const tokenLimit = 10_000;

/** Largest body of a token request, in bytes. */
export const tokenRequestLimit = 65_536;

/** How many tags one manifest can be given in one request; distribution-spec asks for at least 10. */
export const tagParameterLimit = 100;

/** How many manifests are remembered by what they say of others, and the size in bytes up to which one is. */
export const factsCache = { entries: 2_000, manifestSize: 65_536 } as const;
