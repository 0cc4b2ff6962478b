// Transposes in square blocks of one vector's lanes: k rounds of interleaving row i with row i + n/2
// transpose an n × n block, n = 2^k.
#ifndef INGOT_TRANSPOSE_H
#define INGOT_TRANSPOSE_H
#include "CKernels.h"
#include <string.h>

// The target is written in whole cache lines, a few in a row: rows of a matrix lie a multiple of a page
// apart so often that a line left half written would be gone from the first cache.
enum { LINE = 64, STRIP = 4, PAGE = 4096 };

#define UNROLL _Pragma("clang loop unroll(full)")
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

// block_<Vector>(…), given LOW_<Vector> and HIGH_<Vector>: how the halves of two vectors interleave.
#define DEFINE_BLOCK(Vector, LANES)                                                               \
  static inline void block_##Vector(                                                              \
      uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch) {         \
    Vector rows[LANES], mixed[LANES];                                                             \
    UNROLL for (int i = 0; i < LANES; i++)                                                        \
      memcpy(&rows[i], source + i * source_pitch, sizeof(Vector));                                \
    UNROLL for (int round = 1; round < LANES; round *= 2) {                                       \
      UNROLL for (int i = 0; i < LANES / 2; i++) {                                                \
        mixed[2 * i] = SHUFFLE(rows[i], rows[i + LANES / 2], LOW_##Vector);                       \
        mixed[2 * i + 1] = SHUFFLE(rows[i], rows[i + LANES / 2], HIGH_##Vector);                  \
      }                                                                                           \
      UNROLL for (int i = 0; i < LANES; i++) rows[i] = mixed[i];                                  \
    }                                                                                             \
    UNROLL for (int i = 0; i < LANES; i++)                                                        \
      memcpy(target + i * target_pitch, &rows[i], sizeof(Vector));                                \
  }

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

// What is left of a matrix whose first rows and columns were transposed in blocks.
static inline __attribute__((always_inline)) void transpose_rest(
    uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch,
    size_t whole_rows, size_t rows, size_t whole_columns, size_t columns, size_t width) {
  transpose_elements(
      target, target_pitch, source, source_pitch, 0, whole_rows, whole_columns, columns, width);
  transpose_elements(
      target, target_pitch, source, source_pitch, whole_rows, rows, 0, columns, width);
}

#if defined(__x86_64__)
/// Elements of two and of four bytes by vectors of a whole line.
void ingot_transpose_lines_of_2(
    uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch, size_t rows,
    size_t columns);
void ingot_transpose_lines_of_4(
    uint8_t *target, size_t target_pitch, const uint8_t *source, size_t source_pitch, size_t rows,
    size_t columns);
#endif

#endif
