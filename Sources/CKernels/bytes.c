// Byte order, HDF5's shuffle, checksums and comparison: loops that need no particular instructions.
#include "CKernels.h"
#include <string.h>

#define SWAP_ALL(Word, swap)                                                                      \
  for (size_t i = 0; i < count; i++) {                                                            \
    Word word;                                                                                    \
    memcpy(&word, bytes + i * sizeof word, sizeof word);                                          \
    word = swap(word);                                                                            \
    memcpy(bytes + i * sizeof word, &word, sizeof word);                                          \
  }

void ingot_swap(void *words, size_t count, size_t width) {
  uint8_t *bytes = words;
  switch (width) {
  case 2: SWAP_ALL(uint16_t, __builtin_bswap16) break;
  case 4: SWAP_ALL(uint32_t, __builtin_bswap32) break;
  case 8: SWAP_ALL(uint64_t, __builtin_bswap64) break;
  default: break;
  }
}

typedef uint8_t Bytes16 __attribute__((vector_size(16)));

static inline Bytes16 load(const uint8_t *bytes) {
  Bytes16 vector;
  memcpy(&vector, bytes, sizeof vector);
  return vector;
}

static inline void store(uint8_t *bytes, Bytes16 vector) { memcpy(bytes, &vector, sizeof vector); }

static inline Bytes16 interleave_low(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline Bytes16 interleave_high(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

static inline Bytes16 even(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

static inline Bytes16 odd(Bytes16 a, Bytes16 b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

// log2(width) rounds split `width` vectors of elements into `width` vectors of one byte of each.
static inline __attribute__((always_inline)) size_t shuffle_vectors(
    uint8_t *target, const uint8_t *source, size_t count, int width) {
  size_t done = 0;
  for (; done + 16 <= count; done += 16) {
    Bytes16 a[8], b[8];
    for (int i = 0; i < width; i++) a[i] = load(source + done * width + i * 16);
    for (int round = 1; round < width; round *= 2) {
      for (int i = 0; i < width / 2; i++) {
        b[i] = even(a[2 * i], a[2 * i + 1]);
        b[i + width / 2] = odd(a[2 * i], a[2 * i + 1]);
      }
      for (int i = 0; i < width; i++) a[i] = b[i];
    }
    // Each round moved the lowest bit of a byte's place to the top; those of its number are there now.
    for (int i = 0; i < width; i++) store(target + i * count + done, a[i]);
  }
  return done;
}

static inline __attribute__((always_inline)) size_t unshuffle_vectors(
    uint8_t *target, const uint8_t *source, size_t count, int width) {
  size_t done = 0;
  for (; done + 16 <= count; done += 16) {
    Bytes16 a[8], b[8];
    for (int i = 0; i < width; i++) a[i] = load(source + i * count + done);
    for (int round = 1; round < width; round *= 2) {
      for (int i = 0; i < width / 2; i++) {
        b[2 * i] = interleave_low(a[i], a[i + width / 2]);
        b[2 * i + 1] = interleave_high(a[i], a[i + width / 2]);
      }
      for (int i = 0; i < width; i++) a[i] = b[i];
    }
    for (int i = 0; i < width; i++) store(target + done * width + i * 16, a[i]);
  }
  return done;
}

#define BY_WIDTH(function)                                                                        \
  (width == 2   ? function(target, source, count, 2)                                              \
   : width == 4 ? function(target, source, count, 4)                                              \
   : width == 8 ? function(target, source, count, 8)                                              \
                : 0)

void ingot_shuffle(void *targetBytes, const void *sourceBytes, size_t count, size_t width) {
  uint8_t *target = targetBytes;
  const uint8_t *source = sourceBytes;
  size_t done = BY_WIDTH(shuffle_vectors);
  for (size_t byte = 0; byte < width; byte++)
    for (size_t i = done; i < count; i++) target[byte * count + i] = source[i * width + byte];
}

void ingot_unshuffle(void *targetBytes, const void *sourceBytes, size_t count, size_t width) {
  uint8_t *target = targetBytes;
  const uint8_t *source = sourceBytes;
  size_t done = BY_WIDTH(unshuffle_vectors);
  for (size_t byte = 0; byte < width; byte++)
    for (size_t i = done; i < count; i++) target[i * width + byte] = source[byte * count + i];
}

// Each of eight lanes takes every eighth word: lane = rotate(lane ^ word, 29) * odd. For a given lane
// that is a bijection of the word, and for a given word one of the lane; so is the final mixing of each
// lane into the result. A change within one word therefore always reaches the result.
static const uint64_t PRIME = 0x9E3779B185EBCA87u;

static inline uint64_t rotate(uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

static inline uint64_t absorb(uint64_t lane, uint64_t word) { return rotate(lane ^ word, 29) * PRIME; }

uint64_t ingot_hash64(const void *bytes, size_t count, uint64_t seed) {
  const uint8_t *next = bytes;
  uint64_t lanes[8];
  for (int i = 0; i < 8; i++) lanes[i] = absorb(seed + i, PRIME);
  size_t left = count;
  for (; left >= 64; left -= 64, next += 64) {
    for (int i = 0; i < 8; i++) {
      uint64_t word;
      memcpy(&word, next + i * 8, 8);
      lanes[i] = absorb(lanes[i], word);
    }
  }
  // The rest, padded with zeros; the count tells it from real zeros.
  uint8_t rest[64] = {0};
  if (left > 0) memcpy(rest, next, left);
  for (int i = 0; i < 8; i++) {
    uint64_t word;
    memcpy(&word, rest + i * 8, 8);
    lanes[i] = absorb(lanes[i], word);
  }
  uint64_t result = absorb(seed, count);
  for (int i = 0; i < 8; i++) {
    result = absorb(result, lanes[i]);
    result ^= result >> 32;
  }
  result = (result ^ result >> 33) * 0xFF51AFD7ED558CCDu;
  result = (result ^ result >> 33) * 0xC4CEB9FE1A85EC53u;
  return result ^ result >> 33;
}

size_t ingot_first_difference(const void *a, const void *b, size_t count) {
  const uint8_t *left = a, *right = b;
  const size_t block = 4096;
  size_t start = 0;
  while (start < count) {
    size_t length = count - start < block ? count - start : block;
    if (memcmp(left + start, right + start, length) != 0) break;
    start += length;
  }
  while (start < count && left[start] == right[start]) start++;
  return start;
}
