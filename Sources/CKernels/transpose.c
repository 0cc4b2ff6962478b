// Transposes by 16-byte vectors, which every x86-64 and arm64 has; wider ones where they serve.
#include "transpose.h"

typedef uint8_t Bytes16 __attribute__((vector_size(16)));
typedef uint16_t Words8 __attribute__((vector_size(16)));
typedef uint32_t Words4 __attribute__((vector_size(16)));
typedef uint64_t Words2 __attribute__((vector_size(16)));

#define LOW_Bytes16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_Bytes16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define LOW_Words8 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_Words8 4, 12, 5, 13, 6, 14, 7, 15
#define LOW_Words4 0, 4, 1, 5
#define HIGH_Words4 2, 6, 3, 7
#define LOW_Words2 0, 2
#define HIGH_Words2 1, 3

// transpose_<Vector>(…): lines of whole blocks by vectors, what is left element by element. A line of the
// source serves several blocks; rows that are a multiple of a page apart share so few places of the first
// cache that only those of one line of the target stay there.
#define DEFINE_TRANSPOSE(Vector, Element, LANES)                                                  \
  DEFINE_BLOCK(Vector, LANES)                                                                     \
  static void transpose_##Vector(                                                                 \
      uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch,           \
      size_t rows, size_t columns) {                                                              \
    const size_t line_rows = LINE / sizeof(Element);                                              \
    const size_t strip_rows = (source_pitch % PAGE ? STRIP : 1) * line_rows;                      \
    size_t whole_rows = rows - rows % line_rows, whole_columns = columns - columns % LANES;       \
    for (size_t strip = 0; strip < whole_rows; strip += strip_rows) {                             \
      size_t end = whole_rows - strip < strip_rows ? whole_rows : strip + strip_rows;             \
      for (size_t c = 0; c < whole_columns; c += LANES) {                                         \
        for (size_t r = strip; r < end; r += line_rows) {                                         \
          uint8_t lines[LANES][LINE];                                                             \
          for (int part = 0; part < LINE / 16; part++)                                            \
            block_##Vector(                                                                       \
                lines[0] + part * 16, LINE,                                                       \
                source + (r + part * LANES) * source_pitch + c * sizeof(Element), source_pitch);  \
          for (int i = 0; i < LANES; i++)                                                         \
            memcpy(target + (c + i) * target_pitch + r * sizeof(Element), lines[i], LINE);        \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
    transpose_rest(                                                                               \
        target, target_pitch, source, source_pitch, whole_rows, rows, whole_columns, columns,     \
        sizeof(Element));                                                                         \
  }

DEFINE_TRANSPOSE(Bytes16, uint8_t, 16)
DEFINE_TRANSPOSE(Words8, uint16_t, 8)
DEFINE_TRANSPOSE(Words4, uint32_t, 4)
DEFINE_TRANSPOSE(Words2, uint64_t, 2)

void ingot_transpose(
    void *target, size_t target_pitch, const void *source, size_t source_pitch, size_t rows,
    size_t columns, size_t width) {
#if defined(__x86_64__)
  if (ingot_current_level() == INGOT_LEVEL_AVX512) {
    if (width == 2)
      return ingot_transpose_lines_of_2(target, target_pitch, source, source_pitch, rows, columns);
    if (width == 4)
      return ingot_transpose_lines_of_4(target, target_pitch, source, source_pitch, rows, columns);
  }
#endif
  switch (width) {
  case 1: transpose_Bytes16(target, target_pitch, source, source_pitch, rows, columns); break;
  case 2: transpose_Words8(target, target_pitch, source, source_pitch, rows, columns); break;
  case 4: transpose_Words4(target, target_pitch, source, source_pitch, rows, columns); break;
  case 8: transpose_Words2(target, target_pitch, source, source_pitch, rows, columns); break;
  case 16:
    transpose_elements(target, target_pitch, source, source_pitch, 0, rows, 0, columns, 16);
    break;
  default:
    transpose_elements(target, target_pitch, source, source_pitch, 0, rows, 0, columns, width);
  }
}
