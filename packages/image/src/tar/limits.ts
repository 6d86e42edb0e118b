/** Most bytes of one extended header: a pax header, a GNU long name or a GNU long link; Go's archive/tar has the same limit. */
export const maxExtendedHeaderBytes: number = 1024 * 1024;

/** Most bytes that the map of one sparse file may take in the archive, in any of its encodings. */
export const maxSparseMapBytes: number = 1024 * 1024;

/** The largest user or group id; 2^32-1 is "no id" to the kernel, and larger ones would wrap around to other users. */
export const maxId: number = 0xffff_fffe;

/** The largest major or minor number of a device. */
export const maxDeviceNumber: number = 0xffff_ffff;
