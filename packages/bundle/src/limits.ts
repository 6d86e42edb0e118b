/** How many entries one layer may have. */
export const layerEntriesLimit: number = 10_000_000;

/** How long the name of an entry, and a path with its links resolved, may be in bytes: what the kernel takes. */
export const pathLengthLimit: number = 4_095;

/** How many directories may lie above an entry. Removal holds one open descriptor for each. */
export const pathDepthLimit: number = 512;

/** How many symbolic links one path may go through, as in the kernel. */
export const symbolicLinksLimit: number = 40;

/** How many directories stay open between entries. */
export const openDirectoriesLimit: number = 128;

/** How many bytes of a layer are read at once. */
export const readSize: number = 1024 * 1024;

/** How many chunks the main thread sends ahead to the layer thread when a layer is not in a local file. */
export const chunksAhead: number = 4;

/** The largest `oci.json` that is read, in bytes. */
export const stateSizeLimit: number = 1024 * 1024;
