const KiB = 1024;
const MiB = 1024 * KiB;

/** Bytes of an image manifest or index that are read into memory (what registries accept at most). */
export const MANIFEST_LIMIT: number = 4 * MiB;

/** Bytes of an image configuration that are read into memory; long histories and labels make it larger than a manifest. */
export const CONFIG_LIMIT: number = 8 * MiB;

/** Arrays and objects inside one another in a JSON document. */
export const JSON_DEPTH_LIMIT = 64;

/** Characters of an image reference; the longest that the grammar allows is shorter. */
export const REFERENCE_LIMIT: number = 2 * KiB;

/** Characters of a digest; the longest registered one has 135. */
export const DIGEST_LIMIT = 512;

/** Bytes of the `oci-layout` file of an image layout. */
export const LAYOUT_FILE_LIMIT: number = 4 * KiB;

/** Bytes of the `index.json` file of an image layout: some 100,000 images. */
export const LAYOUT_INDEX_LIMIT: number = 32 * MiB;

/** Bytes of the file of a lease: some 200,000 digests. */
export const LEASE_LIMIT: number = 16 * MiB;

/** Bytes that a blob may have to be read into memory when the caller names no limit of its own. */
export const READ_ALL_LIMIT: number = 4 * MiB;

/** Indexes inside one another between a name and its manifest. */
export const INDEX_DEPTH_LIMIT = 8;

/** Entries of an image index and of the indexes in it that are looked at to choose a platform. */
export const INDEX_ENTRIES_LIMIT = 1024;

/** Bytes of a layer that is built in memory, compressed. */
export const BUILT_LAYER_LIMIT: number = 1024 * MiB;

/** Members of an archive of images; one has a few for each layer. */
export const ARCHIVE_MEMBERS_LIMIT = 100_000;

/** Links after one another from a member of an archive to its bytes. */
export const ARCHIVE_LINKS_LIMIT = 8;

/** Images in one archive of Docker's format. */
export const ARCHIVE_IMAGES_LIMIT = 1024;

/** Bytes of what is written to a temporary file: an archive from a pipe or out of compression, a layer that is recompressed. */
export const SPOOL_LIMIT: number = 64 * 1024 * MiB;

/** Entries of all layers of an image whose files are looked at without unpacking. */
export const TREE_ENTRIES_LIMIT = 10_000_000;

/** Bytes of the table of contents of a layer, decompressed; one with a larger table is read as if it had none. */
export const TOC_LIMIT: number = 128 * MiB;

/** Bytes of the listing of a layer, before they are compressed; a larger one is not kept. */
export const LISTING_LIMIT: number = 256 * MiB;

/** Manifests and indexes below one that is validated. */
export const VALIDATED_DOCUMENTS_LIMIT = 10_000;
