// Comparison of values: elements as float64, and, within one type, as the codes they are stored as.
#include "formats.h"

// The bits of `count` elements, each as one number.
static void load_codes(uint64_t *codes, const uint8_t *bytes, int bit_width, size_t count) {
#define LOAD_CODES(Code)                                                                          \
  for (size_t i = 0; i < count; i++) {                                                            \
    Code code;                                                                                    \
    memcpy(&code, bytes + i * sizeof code, sizeof code);                                          \
    codes[i] = code;                                                                              \
  }
  switch (bit_width) {
  case 64: LOAD_CODES(uint64_t) break;
  case 32: LOAD_CODES(uint32_t) break;
  case 16: LOAD_CODES(uint16_t) break;
  case 8: LOAD_CODES(uint8_t) break;
  default:
    for (size_t i = 0; i < count; i++) {
      size_t first = i * (size_t)bit_width, last = first + (size_t)bit_width - 1;
      uint32_t window = bytes[first / 8] | (uint32_t)bytes[last / 8] << 8;
      codes[i] = window >> first % 8 & ((1u << bit_width) - 1);
    }
  }
#undef LOAD_CODES
}

static double absolute(double value) { return value < 0 ? -value : value; }

static uint64_t distance_of(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

// How many representable numbers lie between two codes, the second included.
static uint64_t steps_between(uint64_t a, uint64_t b, uint64_t sign_bit) {
  uint64_t magnitude_a = a & (sign_bit - 1), magnitude_b = b & (sign_bit - 1);
  return (a & sign_bit) == (b & sign_bit) ? distance_of(magnitude_a, magnitude_b)
                                          : magnitude_a + magnitude_b;
}

typedef struct {
  double a[BLOCK], b[BLOCK];
  uint64_t codes_a[BLOCK], codes_b[BLOCK];
} Values;

static void compare_block(
    const Values *values, size_t count, ingot_type type, int same_type,
    const ingot_comparison *how, size_t first, ingot_differences *found) {
  // E8M0 has no sign: all its bits are magnitude.
  uint64_t sign_bit =
      1ull << (ingot_bit_width(type) - (type == INGOT_FLOAT8_E8M0FNU ? 0 : 1));
  // Two 64-bit integers may look equal as float64; the order of their codes is theirs once the sign
  // bit is turned.
  int is_wide_integer = same_type && (type == INGOT_INT64 || type == INGOT_UINT64);
  uint64_t turn = type == INGOT_INT64 ? sign_bit : 0;
  for (size_t i = 0; i < count; i += how->components) {
    int differs = 0, has_lone_nan = 0;
    for (size_t k = i; k < i + how->components; k++) {
      uint64_t code_a = values->codes_a[k], code_b = values->codes_b[k];
      if (same_type && code_a == code_b) continue;
      double a = values->a[k], b = values->b[k];
      if (a != a || b != b) {
        int is_lone = a == a || b == b;
        has_lone_nan |= is_lone;
        differs |= is_lone || !how->has_tolerance;
        continue;
      }
      double distance = is_wide_integer ? (double)distance_of(code_a ^ turn, code_b ^ turn)
                        : a == b        ? 0
                                        : absolute(a - b);
      if (distance > found->max_absolute) found->max_absolute = distance;
      if (same_type) {
        uint64_t steps = steps_between(code_a, code_b, sign_bit);
        if (steps > found->max_steps) found->max_steps = steps;
      }
      // An infinity is near nothing but itself.
      int is_tolerable =
          how->has_tolerance
          && (distance == 0
              || (distance < __builtin_inf()
                  && distance <= how->absolute + how->relative * absolute(b)));
      differs |= !is_tolerable;
    }
    found->lone_nans += has_lone_nan;
    if (differs) {
      if (found->different == 0) found->first = (first + i) / how->components;
      found->different++;
    }
  }
}

void ingot_compare(
    const void *a, ingot_type type_a, const void *b, ingot_type type_b, size_t count,
    const ingot_comparison *how, ingot_differences *found) {
  const uint8_t *bytes_a = a, *bytes_b = b;
  size_t width_a = (size_t)ingot_bit_width(type_a), width_b = (size_t)ingot_bit_width(type_b);
  Values values;
  for (size_t first = 0; first < count; first += BLOCK) {
    size_t length = count - first < BLOCK ? count - first : BLOCK;
    // A block begins at a whole byte, whatever the width.
    const uint8_t *block_a = bytes_a + first * width_a / 8, *block_b = bytes_b + first * width_b / 8;
    if (type_a == type_b) {
      if (memcmp(block_a, block_b, length * width_a / 8) == 0) continue;
      load_codes(values.codes_a, block_a, (int)width_a, length);
      load_codes(values.codes_b, block_b, (int)width_b, length);
    }
    ingot_to_float64(values.a, block_a, type_a, length);
    ingot_to_float64(values.b, block_b, type_b, length);
    compare_block(&values, length, type_a, type_a == type_b, how, first, found);
  }
}
