// Transposes by vectors of a whole cache line: each line of source and target is touched once.
#include "transpose.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512))), \
    apply_to = function)

typedef uint16_t Words32 __attribute__((vector_size(64)));
typedef uint32_t Words16 __attribute__((vector_size(64)));

#define LOW_Words32 \
  0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, \
      45, 14, 46, 15, 47
#define HIGH_Words32 \
  16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, 59, \
      28, 60, 29, 61, 30, 62, 31, 63
#define LOW_Words16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_Words16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// Rows of the target that are a multiple of a page apart share few places of the caches: where they have
// several lines these are gathered and go together.
#define DEFINE_TRANSPOSE(name, Vector, Element, LANES)                                            \
  DEFINE_BLOCK(Vector, LANES)                                                                     \
  void name(                                                                                      \
      uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch,           \
      size_t rows, size_t columns) {                                                              \
    enum { WIDTH = sizeof(Element), STRIP_ROWS = STRIP * LANES, GATHERED_PITCH = (STRIP + 1) * LINE }; \
    uint8_t gathered[LANES * GATHERED_PITCH];                                                     \
    const int gathers = target_pitch % PAGE == 0 && rows >= STRIP_ROWS;                           \
    size_t whole_rows = rows - rows % LANES, whole_columns = columns - columns % LANES;           \
    for (size_t strip = 0; strip < whole_rows; strip += STRIP_ROWS) {                             \
      size_t strip_rows = whole_rows - strip < STRIP_ROWS ? whole_rows - strip : STRIP_ROWS;      \
      for (size_t c = 0; c < whole_columns; c += LANES) {                                         \
        uint8_t *lines = target + c * target_pitch + strip * WIDTH;                               \
        for (size_t r = 0; r < strip_rows; r += LANES)                                            \
          block_##Vector(                                                                         \
              (gathers ? gathered : lines) + r * WIDTH, gathers ? GATHERED_PITCH : target_pitch,  \
              source + (strip + r) * source_pitch + c * WIDTH, source_pitch);                     \
        for (size_t i = 0; gathers && i < LANES; i++)                                             \
          memcpy(lines + i * target_pitch, gathered + i * GATHERED_PITCH, strip_rows * WIDTH);    \
      }                                                                                           \
    }                                                                                             \
    transpose_rest(                                                                               \
        target, target_pitch, source, source_pitch, whole_rows, rows, whole_columns, columns,     \
        WIDTH);                                                                                   \
  }

DEFINE_TRANSPOSE(ingot_transpose_lines_of_2, Words32, uint16_t, 32)
DEFINE_TRANSPOSE(ingot_transpose_lines_of_4, Words16, uint32_t, 16)

#pragma clang attribute pop
#endif
