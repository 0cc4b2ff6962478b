// Transposes in blocks of one 16-byte vector's lanes: k rounds of interleaving row i with row
// i + n/2 transpose an n × n block, n = 2^k. Sixteen bytes are the vectors that every x86-64 and
// arm64 has, and the memory, not the width of the registers, is the limit here.
#include "CKernels.h"
#include <string.h>

typedef uint8_t Bytes16 __attribute__((vector_size(16)));
typedef uint16_t Words8 __attribute__((vector_size(16)));
typedef uint32_t Words4 __attribute__((vector_size(16)));
typedef uint64_t Words2 __attribute__((vector_size(16)));

// The target is written in whole cache lines, a few in a row: rows of a matrix lie a multiple of 4096
// bytes apart so often that a line left half written would be gone from the first cache.
enum { LINE = 64, STRIP = 4 };

#define LOW_Bytes16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_Bytes16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define LOW_Words8 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_Words8 4, 12, 5, 13, 6, 14, 7, 15
#define LOW_Words4 0, 4, 1, 5
#define HIGH_Words4 2, 6, 3, 7
#define LOW_Words2 0, 2
#define HIGH_Words2 1, 3

#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

// Elements of any size one by one; where `width` is a constant each is one move.
static inline __attribute__((always_inline)) void transpose_elements(
    uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch, size_t row,
    size_t row_end, size_t column, size_t column_end, size_t width) {
  for (size_t strip = row; strip < row_end; strip += LINE) {
    size_t end = row_end - strip < LINE ? row_end : strip + LINE;
    for (size_t c = column; c < column_end; c++)
      for (size_t r = strip; r < end; r++)
        memcpy(target + c * target_pitch + r * width, source + r * source_pitch + c * width, width);
  }
}

#define UNROLL _Pragma("clang loop unroll(full)")

// transpose_<Vector>(…): lines of whole blocks by vectors, what is left element by element.
#define DEFINE_TRANSPOSE(Vector, Element, LANES)                                                  \
  static inline void block_##Vector(                                                              \
      uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch) {         \
    Vector rows[LANES], mixed[LANES];                                                             \
    UNROLL for (int i = 0; i < LANES; i++) memcpy(&rows[i], source + i * source_pitch, 16);       \
    UNROLL for (int round = 1; round < LANES; round *= 2) {                                       \
      UNROLL for (int i = 0; i < LANES / 2; i++) {                                                \
        mixed[2 * i] = SHUFFLE(rows[i], rows[i + LANES / 2], LOW_##Vector);                       \
        mixed[2 * i + 1] = SHUFFLE(rows[i], rows[i + LANES / 2], HIGH_##Vector);                  \
      }                                                                                           \
      UNROLL for (int i = 0; i < LANES; i++) rows[i] = mixed[i];                                  \
    }                                                                                             \
    UNROLL for (int i = 0; i < LANES; i++) memcpy(target + i * target_pitch, &rows[i], 16);       \
  }                                                                                               \
  static void transpose_##Vector(                                                                 \
      uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch,           \
      size_t rows, size_t columns) {                                                              \
    const size_t line_rows = LINE / sizeof(Element);                                              \
    size_t whole_rows = rows - rows % line_rows, whole_columns = columns - columns % LANES;       \
    for (size_t strip = 0; strip < whole_rows; strip += STRIP * line_rows) {                      \
      size_t end = whole_rows - strip < STRIP * line_rows ? whole_rows : strip + STRIP * line_rows;\
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
    transpose_elements(                                                                           \
        target, target_pitch, source, source_pitch, 0, whole_rows, whole_columns, columns,        \
        sizeof(Element));                                                                         \
    transpose_elements(                                                                           \
        target, target_pitch, source, source_pitch, whole_rows, rows, 0, columns,                 \
        sizeof(Element));                                                                         \
  }

DEFINE_TRANSPOSE(Bytes16, uint8_t, 16)
DEFINE_TRANSPOSE(Words8, uint16_t, 8)
DEFINE_TRANSPOSE(Words4, uint32_t, 4)
DEFINE_TRANSPOSE(Words2, uint64_t, 2)

void ingot_transpose(
    void *target, size_t target_pitch, const void *source, size_t source_pitch, size_t rows,
    size_t columns, size_t width) {
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
