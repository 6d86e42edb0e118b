/** Most bytes of one extended header: a pax header, a GNU long name or a GNU long link; Go's archive/tar has the same limit. */
export const EXTENDED_HEADER_LIMIT: number = 1024 * 1024;

/** Most bytes that the map of one sparse file may take in the archive, in any of its encodings. */
export const SPARSE_MAP_LIMIT: number = 1024 * 1024;

/** The largest user or group id; 2^32-1 is "no id" to the kernel, and larger ones would wrap around to other users. */
export const ID_LIMIT: number = 0xffff_fffe;

/** The largest major or minor number of a device. */
export const DEVICE_NUMBER_LIMIT: number = 0xffff_ffff;
