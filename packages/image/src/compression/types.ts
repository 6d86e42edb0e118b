/** How a layer is compressed (image-spec `layer.md`, "+gzip" and "+zstd" media types). */
export type Compression = 'gzip' | 'zstd' | 'none';
