// Byte order. The compiler makes each loop one shuffle per vector.
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
