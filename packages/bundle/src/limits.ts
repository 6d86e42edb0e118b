/** How many entries one layer may have unless told otherwise. */
export const layerEntriesLimit: number = 10_000_000;

/** What a layer may become at most; what is absent has the default of `docs/limits.md`. */
export interface LayerLimits {
  /** Entries of one layer. */
  readonly entries?: number | undefined;
  /** Bytes of one layer, decompressed: the sum of its files and their headers. Unlimited by default. */
  readonly bytes?: number | undefined;
  /** Bytes that come out of one compressed byte, once there are more than 64 MiB; 1000 by default. */
  readonly ratio?: number | undefined;
}

/** How long the name of an entry, and a path with its links resolved, may be in bytes: what the kernel takes. */
export const pathLengthLimit: number = 4_095;

/** How many directories may lie above an entry. Removal holds one open descriptor for each. */
export const pathDepthLimit: number = 512;

/** How many symbolic links one path may go through, as in the kernel. */
export const symbolicLinksLimit: number = 40;

/** How many directories stay open between entries. */
export const openDirectoriesLimit: number = 128;

/** How many directories a layer may have made before those that it has left are finished and forgotten. */
export const knownDirectoriesLimit: number = 10_000;

/** How many bytes of a layer are read at once. */
export const readSize: number = 512 * 1024;

/**
 * Layers of at least this many compressed bytes together are read, hashed and written by a thread each. Below, starting
 * threads takes about as long as they save.
 */
export const contentThreadSize: number = 4 * 1024 * 1024;

/** The size of the pieces that node:zlib makes. Small zstd frames, of at most 4 MiB, come whole. */
export const contentSize: number = 1024 * 1024;

/** The size of a piece of content between threads, in bytes. */
export const slotSize: number = 256 * 1024;

/** How many pieces of content of one layer wait between threads. */
export const ringSlots = 8;

/** How many layers are in work at once: the next one is decompressed while the last one is being written. */
export const layersAhead = 2;

/** From how many files on a second thread helps to copy snapshots; below, starting it takes longer than it saves. */
export const copyHelpEntries = 20_000;

/** How large the heap of a thread may get, in MiB; buffers are not in it. */
export const threadHeap = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 } as const;

/** How many chunks the main thread sends ahead to the layer thread when a layer is not in a local file. */
export const chunksAhead: number = 4;

/** The largest `oci.json` that is read, in bytes. */
export const stateSizeLimit: number = 1024 * 1024;

/** How many bytes of holes may become zeros when files of a snapshot are copied. */
export const filledHolesLimit: number = 1024 ** 3;

/** The largest `snapshot.json` and `rootfs.json` that is read, in bytes. */
export const snapshotRecordSizeLimit: number = 64 * 1024;
