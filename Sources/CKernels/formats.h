// The element types as numbers.
#ifndef INGOT_FORMATS_H
#define INGOT_FORMATS_H
#include "levels.h"

/// The format of a float type of at most 16 bits, or NULL.
const Format *ingot_format(ingot_type type);

/// The size of an element in bits.
int ingot_bit_width(ingot_type type);

/// Whether every value of the type is a float32, and `ingot_decode32` takes it.
int ingot_fits_float32(ingot_type type);

/// Values of a type of at most 8 bits by code.
typedef struct {
  float values[256];
} Table;

/// Fills `table` where `type` needs one.
void ingot_fill_table(Table *table, ingot_type type);

/// Decodes `count` elements from element `first` on. Elements below eight bits are packed from the
/// lowest bit up.
void ingot_decode32(
    float *target, const void *source, ingot_type type, const Table *table, size_t first, size_t count);

/// The same as float64. 64-bit integers that do not fit are truncated with the last bit set where
/// anything was lost, so that rounding to any smaller type still rounds once.
void ingot_decode64(
    LooseDouble *target, const void *source, ingot_type type, const Table *table, size_t first,
    size_t count);

#endif
