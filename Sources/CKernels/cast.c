// Casts between all real types, in blocks: decode to float32 or float64 without loss, then round once.
// The fast loops round what is ordinary and say where something is not; such a block is done again as
// float64 with the exceptions taken out, which are then handled one by one.
#include "formats.h"

static int is_float(ingot_type type) { return type <= INGOT_FLOAT4_E2M1FN; }

static double absolute(double value) { return value < 0 ? -value : value; }

// The nearest whole number, ties to even, of a value below 2^52; larger ones are whole.
static double nearest(double value) {
  double magnitude = absolute(value);
  if (!(magnitude < 0x1p52)) return value;
  double rounded = (magnitude + 0x1p52) - 0x1p52;
  return value < 0 ? -rounded : rounded;
}

static void note_error(double rounded, double value, ingot_cast_report *report) {
  double relative = absolute(rounded - value) / absolute(value);
  if (relative > report->largest_relative_error) report->largest_relative_error = relative;
}

// Errors above this exceed the largest one so far by more than the rounding of the comparison.
static double threshold(const ingot_cast_report *report) {
  return report->largest_relative_error * (1 + 0x1p-50);
}

// Floats of at most 32 bits

/// What the target of a cast is like; `format` is NULL for float32.
typedef struct {
  ingot_type type;
  const Format *format;
  /// The values of the codes of a target of 8 bits.
  Table table;
  /// Magnitudes from here on, or only above, are not rounded to a finite number.
  double limit;
  int limit_is_finite;
} Target;

static void prepare(Target *target, ingot_type type) {
  target->type = type;
  target->format = ingot_format(type);
  // Half a unit above the largest finite number; a tie goes to the even code.
  if (target->format == NULL) {
    target->limit = 0x1.ffffffp127;
    target->limit_is_finite = 0;
    return;
  }
  const Format *format = target->format;
  ingot_fill_table(&target->table, type);
  uint32_t exponent = format->max_code >> format->fraction;
  double unit = 1;
  int power = (int)exponent - 1 + format->min_exponent - format->fraction;
  for (; power > 0; power--) unit *= 2;
  for (; power < 0; power++) unit /= 2;
  uint32_t significand =
      (format->max_code & ((1u << format->fraction) - 1)) | 1u << format->fraction;
  target->limit = (significand + 0.5) * unit;
  target->limit_is_finite = format->max_code % 2 == 0;
}

static int is_exception(double value, const Target *target) {
  double magnitude = absolute(value);
  if (target->limit_is_finite) return !(magnitude <= target->limit);
  return !(magnitude < target->limit);
}

static Findings narrow64(
    void *codes, const double *block, size_t count, const Target *target, double largest) {
  const Loops *loops = ingot_loops();
  if (target->format == NULL) return loops->narrow64_to_float32(codes, block, count, largest);
  if (target->format->sign_shift > 7)
    return loops->narrow64_to16(codes, block, count, target->format, largest);
  return loops->narrow64_to8(codes, block, count, target->format, largest);
}

static void store_code(void *codes, size_t index, uint32_t code, const Target *target) {
  if (target->format->sign_shift > 7) {
    uint16_t narrow = (uint16_t)code;
    memcpy((uint8_t *)codes + index * 2, &narrow, 2);
  } else {
    ((uint8_t *)codes)[index] = (uint8_t)code;
  }
}

/// Stores NaN, an infinity or a value beyond the limit, and reports it.
static void round_exception(
    void *codes, size_t index, double value, const Target *target, ingot_cast_report *report) {
  const Format *format = target->format;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t negative = bits >> 63;
  int is_nan = value != value, is_infinite = absolute(value) == __builtin_inf();
  int has_infinity = format == NULL || format->has_infinity;
  if (is_nan) report->nan_in++;
  else if (!has_infinity) report->saturated++;
  else if (!is_infinite) report->overflowed++;
  if (!is_nan && !(is_infinite && has_infinity)) report->inexact++;
  if (format == NULL) {
    float narrow = (float)value;
    memcpy((uint8_t *)codes + index * 4, &narrow, 4);
  } else if (is_nan) {
    uint32_t payload =
        format->has_infinity
            ? (uint32_t)(bits >> (52 - format->fraction)) & ((1u << format->fraction) - 1)
            : 0;
    uint32_t sign = format->has_negative_zero ? negative << format->sign_shift : 0;
    store_code(codes, index, sign | format->nan | payload, target);
  } else {
    uint32_t code = format->max_code + (has_infinity ? 1 : 0);
    store_code(codes, index, negative << format->sign_shift | code, target);
  }
}

static void round64(
    void *codes, const double *block, size_t count, const Target *target,
    ingot_cast_report *report) {
  Findings found = narrow64(codes, block, count, target, threshold(report));
  double ordinary[BLOCK];
  int has_exceptions = found.special != 0;
  if (has_exceptions) {
    for (size_t i = 0; i < count; i++) ordinary[i] = is_exception(block[i], target) ? 0 : block[i];
    found = narrow64(codes, ordinary, count, target, threshold(report));
  }
  report->underflowed += found.underflowed;
  report->inexact += found.inexact;
  if (found.worse) {
    float rounded[BLOCK];
    ingot_decode32(rounded, codes, target->type, &target->table, 0, count);
    for (size_t i = 0; i < count; i++)
      if (rounded[i] != 0) note_error(rounded[i], block[i], report);
  }
  if (has_exceptions)
    for (size_t i = 0; i < count; i++)
      if (is_exception(block[i], target)) round_exception(codes, i, block[i], target, report);
}

static void round32(
    void *codes, const LooseFloat *block, size_t count, const Target *target,
    ingot_cast_report *report) {
  const Loops *loops = ingot_loops();
  // Somewhat lower, so that float32 arithmetic misses none; what it finds is looked at again.
  float largest = (float)(report->largest_relative_error * (1 - 0x1p-20));
  Findings found;
  if (target->type == INGOT_BFLOAT16)
    found = loops->narrow32_to_bfloat16(codes, block, count, largest);
  else if (target->format->sign_shift > 7)
    found = loops->narrow32_to_float16(codes, block, count, target->format, largest);
  else
    found = loops->narrow32_to8(codes, block, count, target->format, largest);
  if (found.special) {
    double wide[BLOCK];
    loops->widen_float32(wide, block, count);
    round64(codes, wide, count, target, report);
    return;
  }
  report->underflowed += found.underflowed;
  report->inexact += found.inexact;
  if (!found.worse) return;
  float rounded[BLOCK];
  ingot_decode32(rounded, codes, target->type, &target->table, 0, count);
  if (!loops->has_worse(rounded, block, count, threshold(report))) return;
  for (size_t i = 0; i < count; i++)
    if (rounded[i] != 0) note_error(rounded[i], block[i], report);
}

// The nearest power of two, ties up as ml_dtypes has them. There is no zero and no sign.
static uint8_t round_to_e8m0(double value, ingot_cast_report *report) {
  if (value != value) {
    report->nan_in++;
    return 0xFF;
  }
  if (value <= 0) {
    report->nan_made++;
    report->inexact++;
    return 0xFF;
  }
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  int exponent = (int)(bits >> 52) - 1023 + (int)(bits >> 51 & 1);
  if (exponent < -127 || exponent > 127) {
    report->saturated++;
    report->inexact++;
    return exponent < 0 ? 0 : 254;
  }
  if ((bits & 0xFFFFFFFFFFFFF) != 0) {
    bits = (uint64_t)(exponent + 1023) << 52;
    double rounded;
    memcpy(&rounded, &bits, sizeof rounded);
    report->inexact++;
    note_error(rounded, value, report);
  }
  return (uint8_t)(exponent + 127);
}

// Integers

#define FOR_INTEGERS(do_for)                                                                      \
  case INGOT_INT8: do_for(int8_t, INT8_MIN, INT8_MAX) break;                                      \
  case INGOT_INT16: do_for(int16_t, INT16_MIN, INT16_MAX) break;                                  \
  case INGOT_INT32: do_for(int32_t, INT32_MIN, INT32_MAX) break;                                  \
  case INGOT_UINT8: do_for(uint8_t, 0, UINT8_MAX) break;                                          \
  case INGOT_UINT16: do_for(uint16_t, 0, UINT16_MAX) break;                                       \
  case INGOT_UINT32: do_for(uint32_t, 0, UINT32_MAX) break;

#define NO_INTEGERS                                                                               \
  case INGOT_FLOAT64: case INGOT_FLOAT32: case INGOT_FLOAT16: case INGOT_BFLOAT16:                \
  case INGOT_FLOAT8_E4M3FN: case INGOT_FLOAT8_E5M2: case INGOT_FLOAT8_E4M3FNUZ:                   \
  case INGOT_FLOAT8_E5M2FNUZ: case INGOT_FLOAT8_E8M0FNU: case INGOT_FLOAT6_E2M3FN:                \
  case INGOT_FLOAT6_E3M2FN: case INGOT_FLOAT4_E2M1FN:                                             \
    break;

/// Reads integers or bools; returns how many had to be limited, which only those of uint64 can be.
static uint64_t load_integers(
    int64_t *target, const uint8_t *source, ingot_type type, size_t first, size_t count) {
  uint64_t limited = 0;
#define LOAD(Integer, smallest, largest)                                                          \
  for (size_t i = 0; i < count; i++) {                                                            \
    Integer value;                                                                                \
    memcpy(&value, source + (first + i) * sizeof value, sizeof value);                            \
    target[i] = value;                                                                            \
  }
  switch (type) {
    FOR_INTEGERS(LOAD)
  case INGOT_INT64: LOAD(int64_t, INT64_MIN, INT64_MAX) break;
  case INGOT_UINT64:
    for (size_t i = 0; i < count; i++) {
      uint64_t value;
      memcpy(&value, source + (first + i) * sizeof value, sizeof value);
      limited += value > INT64_MAX;
      target[i] = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
    break;
  case INGOT_BOOL:
    for (size_t i = 0; i < count; i++) target[i] = source[first + i] != 0;
    break;
    NO_INTEGERS
  }
#undef LOAD
  return limited;
}

/// Stores integers as another type; returns how many had to be limited.
static uint64_t store_integers(
    uint8_t *target, ingot_type type, size_t first, const int64_t *block, size_t count) {
  uint64_t limited = 0;
#define STORE(Integer, smallest, largest)                                                         \
  for (size_t i = 0; i < count; i++) {                                                            \
    int64_t value = block[i];                                                                     \
    limited += value < smallest || value > largest;                                               \
    Integer narrow = (Integer)(value < smallest ? smallest : value > largest ? largest : value);  \
    memcpy(target + (first + i) * sizeof narrow, &narrow, sizeof narrow);                         \
  }
  switch (type) {
    FOR_INTEGERS(STORE)
  case INGOT_INT64: memcpy(target + first * 8, block, count * 8); break;
  case INGOT_UINT64: STORE(uint64_t, 0, INT64_MAX) break;
  case INGOT_BOOL: break;
    NO_INTEGERS
  }
#undef STORE
  return limited;
}

static void integers_from_integers(
    uint8_t *target, ingot_type target_type, const uint8_t *source, ingot_type source_type,
    size_t count, ingot_cast_report *report) {
  for (size_t first = 0; first < count; first += BLOCK) {
    size_t length = count - first < BLOCK ? count - first : BLOCK;
    int64_t block[BLOCK];
    uint64_t above = load_integers(block, source, source_type, first, length);
    uint64_t limited = store_integers(target, target_type, first, block, length);
    // What is above int64 is above every smaller type once more.
    limited = target_type == INGOT_INT64 ? above : limited;
    report->saturated += limited;
    report->inexact += limited;
  }
}

/// Rounds to whole numbers between `lowest` and below `above`; others become `smallest`, `largest`.
/// `above` is a power of two and thus exact, unlike `largest`.
#define STORE_ROUNDED(Integer, smallest, largest)                                                 \
  {                                                                                               \
    const double lowest = (double)(smallest), above = ((double)((largest) / 2 + 1)) * 2;          \
    for (size_t i = 0; i < count; i++) {                                                          \
      double value = block[i], rounded = nearest(value);                                          \
      Integer integer;                                                                            \
      if (rounded >= lowest && rounded < above) {                                                 \
        integer = (Integer)rounded;                                                               \
        double error = absolute(rounded - value);                                                 \
        report->inexact += error != 0;                                                            \
        report->underflowed += rounded == 0 && error != 0;                                        \
        if (error > report->largest_relative_error * absolute(value) && rounded != 0)             \
          note_error(rounded, value, report);                                                     \
      } else if (value != value) {                                                                \
        report->nan_in++;                                                                         \
        integer = 0;                                                                              \
      } else {                                                                                    \
        report->saturated++;                                                                      \
        report->inexact++;                                                                        \
        integer = value < 0 ? smallest : largest;                                                 \
      }                                                                                           \
      memcpy(target + (first + i) * sizeof integer, &integer, sizeof integer);                    \
    }                                                                                             \
  }

static void integers_from_float64(
    uint8_t *target, ingot_type type, size_t first, const double *block, size_t count,
    ingot_cast_report *report) {
  switch (type) {
    FOR_INTEGERS(STORE_ROUNDED)
  case INGOT_INT64: STORE_ROUNDED(int64_t, INT64_MIN, INT64_MAX) break;
  case INGOT_UINT64: STORE_ROUNDED(uint64_t, 0, UINT64_MAX) break;
  case INGOT_BOOL:
    for (size_t i = 0; i < count; i++) {
      target[first + i] = block[i] != 0;
      report->nan_in += block[i] != block[i];
    }
    break;
    NO_INTEGERS
  }
}

// Only 64-bit integers can be rounded; their distance from the rounded value is exact in 128 bits.
#define ROUND_TO_FLOAT64(Integer)                                                                 \
  for (size_t i = 0; i < count; i++) {                                                            \
    Integer value;                                                                                \
    memcpy(&value, source + i * sizeof value, sizeof value);                                      \
    double rounded = (double)value;                                                               \
    target[i] = rounded;                                                                          \
    double error = absolute((double)((__int128)rounded - value));                                 \
    report->inexact += error != 0;                                                                \
    if (error > report->largest_relative_error * absolute(rounded))                               \
      report->largest_relative_error = error / absolute(rounded);                                 \
  }

// Any to any

/// Rounds the block of elements from `first` on, which are `wide` as float64, to anything else.
static void encode_block(
    uint8_t *codes, Target *target, size_t first, const double *wide, size_t count,
    ingot_cast_report *report) {
  switch (target->type) {
  case INGOT_FLOAT8_E8M0FNU:
    for (size_t i = 0; i < count; i++) codes[first + i] = round_to_e8m0(wide[i], report);
    break;
  case INGOT_INT8: case INGOT_INT16: case INGOT_INT32: case INGOT_INT64: case INGOT_UINT8:
  case INGOT_UINT16: case INGOT_UINT32: case INGOT_UINT64: case INGOT_BOOL:
    integers_from_float64(codes, target->type, first, wide, count, report);
    break;
  case INGOT_FLOAT32: case INGOT_FLOAT16: case INGOT_BFLOAT16: case INGOT_FLOAT8_E4M3FN:
  case INGOT_FLOAT8_E5M2: case INGOT_FLOAT8_E4M3FNUZ: case INGOT_FLOAT8_E5M2FNUZ:
    round64(
        codes + first * (size_t)ingot_bit_width(target->type) / 8, wide, count, target, report);
    break;
  case INGOT_FLOAT64: case INGOT_FLOAT6_E2M3FN: case INGOT_FLOAT6_E3M2FN:
  case INGOT_FLOAT4_E2M1FN:
    break;
  }
}

void ingot_cast(
    void *target_bytes, ingot_type target_type, const void *source_bytes, ingot_type source_type,
    size_t count, ingot_cast_report *report) {
  uint8_t *codes = target_bytes;
  const uint8_t *source = source_bytes;
  if (!is_float(source_type) && !is_float(target_type) && target_type != INGOT_BOOL) {
    integers_from_integers(codes, target_type, source, source_type, count, report);
    return;
  }
  if (target_type == INGOT_FLOAT64 && ingot_bit_width(source_type) == 64 && !is_float(source_type)) {
    LooseDouble *target = target_bytes;
    if (source_type == INGOT_INT64) { ROUND_TO_FLOAT64(int64_t) }
    else { ROUND_TO_FLOAT64(uint64_t) }
    return;
  }
  const Loops *loops = ingot_loops();
  int fits_float32 = ingot_fits_float32(source_type);
  Table table;
  ingot_fill_table(&table, source_type);
  Target target;
  prepare(&target, target_type);
  int is_narrow = target.format != NULL && ingot_bit_width(target_type) >= 8;
  for (size_t first = 0; first < count; first += BLOCK) {
    size_t length = count - first < BLOCK ? count - first : BLOCK;
    if (fits_float32 && (is_narrow || target_type == INGOT_FLOAT32)) {
      float block[BLOCK];
      const LooseFloat *values = (const LooseFloat *)source + first;
      if (source_type != INGOT_FLOAT32) {
        ingot_decode32(block, source, source_type, &table, first, length);
        values = block;
      }
      if (is_narrow) {
        round32(
            codes + first * (size_t)ingot_bit_width(target_type) / 8, values, length, &target,
            report);
      } else {
        memcpy(codes + first * 4, values, length * 4);
        report->nan_in += loops->count_nan32(values, length);
      }
    } else if (target_type == INGOT_FLOAT64) {
      LooseDouble *values = (LooseDouble *)codes + first;
      ingot_decode64(values, source, source_type, &table, first, length);
      report->nan_in += loops->count_nan64(values, length);
    } else {
      double block[BLOCK];
      ingot_decode64(block, source, source_type, &table, first, length);
      encode_block(codes, &target, first, block, length, report);
    }
  }
}
