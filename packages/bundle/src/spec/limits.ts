/** The largest `config.json` that is read, in bytes. */
export const configSizeLimit: number = 8 * 1024 * 1024;

/** The largest `/etc/passwd` or `/etc/group` of an image that is read, in bytes. */
export const userDatabaseSizeLimit: number = 16 * 1024 * 1024;

/** How many symbolic links one path inside a root file system may go through, as in the kernel. */
export const symlinkLimit: number = 40;

/** The largest user or group id that an image may ask for: what Docker, containerd and umoci accept. */
export const imageIdLimit: number = 2 ** 31 - 1;

/** The largest user or group id in a `config.json`; 2^32 - 1 means "no change" to the kernel. */
export const idLimit: number = 2 ** 32 - 2;
