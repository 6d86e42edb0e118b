declare const digestBrand: unique symbol;

/** A digest that was checked to be `algorithm:hex` of the right length (image-spec `descriptor.md`, "Digests"). */
export type Digest = `${string}:${string}` & { readonly [digestBrand]: true };

/** The algorithms that content can be verified with. */
export type DigestAlgorithm = 'sha256' | 'sha512' | 'blake3';
