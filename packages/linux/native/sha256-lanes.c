// SHA-256 (FIPS 180-4) of eight messages at once, one in each lane of a vector: for processors with AVX-512 but without
// SHA instructions, whose one message after the other takes five times as long. A library without libc, so that it
// loads under every one.
#include <cpuid.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 8
#define BLOCK_BYTES 64

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef unsigned char bytes __attribute__((vector_size(4 * LANES)));

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/** How many messages are hashed at once: 0 where one after the other is as fast, or this cannot run. */
__attribute__((visibility("default"))) int oci_sha256_lanes(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  int has_avx512 = (b & bit_AVX512F) && (b & bit_AVX512VL);
  int has_sha = (b & bit_SHA) != 0;
  if (!has_avx512 || has_sha || !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  // The kernel saves the registers of SSE, AVX and AVX-512.
  return (low & 0xe6) == 0xe6 ? LANES : 0;
}

#define EVERY __attribute__((target("avx512f,avx512vl"), always_inline)) static inline

EVERY words rotate(words x, int bits) { return (x >> bits) | (x << (32 - bits)); }

/** Eight words of each message become eight vectors that have one word of every message. */
EVERY void transpose(words *w, const unsigned char *data, size_t stride) {
  const bytes big_endian = {3,  2,  1,  0,  7,  6,  5,  4,  11, 10, 9,  8,  15, 14, 13, 12,
                            19, 18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28};
  const words low = {0, 8, 1, 9, 4, 12, 5, 13}, high = {2, 10, 3, 11, 6, 14, 7, 15};
  const words low_pair = {0, 1, 8, 9, 4, 5, 12, 13}, high_pair = {2, 3, 10, 11, 6, 7, 14, 15};
  const words lower = {0, 1, 2, 3, 8, 9, 10, 11}, upper = {4, 5, 6, 7, 12, 13, 14, 15};
  words rows[LANES], pairs[LANES], fours[LANES];
  for (int lane = 0; lane < LANES; lane++) {
    bytes row;
    __builtin_memcpy(&row, data + (size_t)lane * stride, sizeof row);
    rows[lane] = (words)__builtin_shuffle(row, big_endian);
  }
  for (int i = 0; i < LANES; i += 2) {
    pairs[i] = __builtin_shuffle(rows[i], rows[i + 1], low);
    pairs[i + 1] = __builtin_shuffle(rows[i], rows[i + 1], high);
  }
  for (int i = 0; i < LANES; i += 4) {
    fours[i] = __builtin_shuffle(pairs[i], pairs[i + 2], low_pair);
    fours[i + 1] = __builtin_shuffle(pairs[i], pairs[i + 2], high_pair);
    fours[i + 2] = __builtin_shuffle(pairs[i + 1], pairs[i + 3], low_pair);
    fours[i + 3] = __builtin_shuffle(pairs[i + 1], pairs[i + 3], high_pair);
  }
  for (int i = 0; i < LANES / 2; i++) {
    w[i] = __builtin_shuffle(fours[i], fours[i + 4], lower);
    w[i + 4] = __builtin_shuffle(fours[i], fours[i + 4], upper);
  }
}

/** The next word of the message schedule, in the place of the one that is needed no more. */
EVERY words schedule(words *w, int round) {
  words early = w[(round + 1) & 15], late = w[(round + 14) & 15];
  words small0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3);
  words small1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10);
  return w[round & 15] += small0 + w[(round + 9) & 15] + small1;
}

/**
 * Adds so many blocks to every message. Word i of the state of message n is states[i * 8 + n], and its blocks begin at
 * data + n * stride.
 */
__attribute__((visibility("default"), target("avx512f,avx512vl"))) void oci_sha256_compress(
    uint32_t *states, const unsigned char *data, uint64_t stride, uint64_t blocks) {
  words s[8];
  __builtin_memcpy(s, states, sizeof s);
  for (; blocks > 0; blocks--, data += BLOCK_BYTES) {
    words w[16];
    transpose(w, data, stride);
    transpose(w + 8, data + BLOCK_BYTES / 2, stride);
    words a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
#pragma GCC unroll 64
    for (int round = 0; round < 64; round++) {
      words word = round < 16 ? w[round] : schedule(w, round);
      words first = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + word + constants[round];
      words second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    s[0] += a, s[1] += b, s[2] += c, s[3] += d, s[4] += e, s[5] += f, s[6] += g, s[7] += h;
  }
  __builtin_memcpy(states, s, sizeof s);
}
