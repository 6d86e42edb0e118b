/** How a layer is compressed (image-spec `layer.md`, "+gzip" and "+zstd" media types). */
export type Compression = 'gzip' | 'zstd' | 'none';

/** What streams can be decompressed from; xz and bzip2 are read, never written, and no media type of the specification. */
export type ReadableCompression = Compression | 'xz' | 'bzip2';
