// The body of one level: included once per level with LOOPS naming the table to define, and HAS_HALF
// true where the processor converts float16 itself (elsewhere that is a call into the compiler's
// library, which may not exist).
//
// Every loop is written so that the compiler makes it vectors of whatever width the level has, and so
// that its result does not depend on that width: whole numbers are added in any order, float sums are
// kept in a fixed number of lanes, and products are never fused with sums.
#pragma STDC FP_CONTRACT OFF
// Vectors are passed between functions of this file alone.
#pragma clang diagnostic ignored "-Wpsabi"

static inline uint32_t bits32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float float32(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint64_t bits64(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline double float64(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// Widening

#if HAS_HALF
static inline uint16_t bits16(_Float16 value) {
  uint16_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline _Float16 float16(uint16_t bits) {
  _Float16 value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void widen_float16(LooseFloat *target, const LooseUInt16 *source, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = float16(source[i]);
}
#else
static void widen_float16(LooseFloat *target, const LooseUInt16 *source, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t half = source[i];
    uint32_t magnitude = half & 0x7FFF;
    uint32_t normal = (magnitude << 13) + (112u << 23);
    uint32_t subnormal = bits32((float)(int32_t)magnitude * 0x1p-24f);
    // The exponent of infinities and NaN moves twice as far; NaN becomes quiet.
    uint32_t special = normal + (112u << 23) | (magnitude > 0x7C00 ? 0x400000 : 0);
    uint32_t bits = magnitude < 0x400 ? subnormal : magnitude < 0x7C00 ? normal : special;
    target[i] = float32(bits | (half & 0x8000) << 16);
  }
}
#endif

static void widen_bfloat16(LooseFloat *target, const LooseUInt16 *source, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)source[i] << 16;
    target[i] = float32(bits | ((bits & 0x7FFFFFFF) > 0x7F800000 ? 0x400000 : 0));
  }
}

static void widen_float32(LooseDouble *target, const LooseFloat *source, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = source[i];
}

static size_t count_nan32(const LooseFloat *source, size_t count) {
  size_t nans = 0;
  for (size_t start = 0; start < count; start += BLOCK) {
    size_t end = count - start < BLOCK ? count : start + BLOCK;
    uint32_t found = 0;
    for (size_t i = start; i < end; i++) found += source[i] != source[i];
    nans += found;
  }
  return nans;
}

static size_t count_nan64(const LooseDouble *source, size_t count) {
  size_t nans = 0;
  for (size_t i = 0; i < count; i++) nans += source[i] != source[i];
  return nans;
}

// Narrowing

static int has_worse(
    const LooseFloat *rounded, const LooseFloat *values, size_t count, double largest) {
  uint64_t worse = 0;
  for (size_t i = 0; i < count; i++) {
    double error = float64(bits64((double)rounded[i] - values[i]) & ~(1ull << 63));
    double magnitude = float64(bits64(values[i]) & ~(1ull << 63));
    worse |= (error > largest * magnitude) & (rounded[i] != 0);
  }
  return worse != 0;
}

#define BITS_OF bits32
#define REAL_OF float32
#define REAL float
#define LOOSE_REAL LooseFloat
#define BITS uint32_t
#define FRACTION 23
#define BIAS 127
#define NARROW narrow32_to8
#define CODE uint8_t
#include "narrow.h"
#undef NARROW
#undef CODE
#if !HAS_HALF
#define NARROW narrow32_to_float16
#define CODE LooseUInt16
#include "narrow.h"
#undef NARROW
#undef CODE
#endif
#undef BITS_OF
#undef REAL_OF
#undef REAL
#undef LOOSE_REAL
#undef BITS
#undef FRACTION
#undef BIAS

#define BITS_OF bits64
#define REAL_OF float64
#define REAL double
#define LOOSE_REAL LooseDouble
#define BITS uint64_t
#define FRACTION 52
#define BIAS 1023
#define NARROW narrow64_to8
#define CODE uint8_t
#include "narrow.h"
#undef NARROW
#undef CODE
#define NARROW narrow64_to16
#define CODE LooseUInt16
#include "narrow.h"

#if HAS_HALF
static Findings narrow32_to_float16(
    LooseUInt16 *target, const LooseFloat *source, size_t count, const Format *format,
    float largest) {
  (void)format;
  uint32_t special = 0, worse = 0, underflowed = 0, inexact = 0;
  for (size_t i = 0; i < count; i++) {
    float value = source[i];
    _Float16 half = (_Float16)value;
    float rounded = half;
    float magnitude = float32(bits32(value) & 0x7FFFFFFF);
    float error = float32(bits32(rounded - value) & 0x7FFFFFFF);
    uint32_t is_zero = rounded == 0;
    special |= !(error < __builtin_inff());
    worse |= (error > largest * magnitude) & !is_zero;
    underflowed += is_zero & (magnitude != 0);
    inexact += error != 0;
    target[i] = bits16(half);
  }
  return (Findings){
      .special = special, .worse = worse, .underflowed = underflowed, .inexact = inexact};
}
#endif

// bfloat16 is the upper half of a float32, and has exponents that leave no room for a rounder.
static Findings narrow32_to_bfloat16(
    LooseUInt16 *target, const LooseFloat *source, size_t count, float largest) {
  uint32_t special = 0, worse = 0, underflowed = 0, inexact = 0;
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = bits32(source[i]);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    uint32_t code = (magnitude + 0x7FFF + (magnitude >> 16 & 1)) >> 16;
    float error = float32(code << 16) - float32(magnitude);
    error = float32(bits32(error) & 0x7FFFFFFF);
    uint32_t is_zero = code == 0;
    special |= code >= 0x7F80;
    worse |= (error > largest * float32(magnitude)) & !is_zero;
    underflowed += is_zero & (magnitude != 0);
    inexact += (magnitude & 0xFFFF) != 0;
    target[i] = (uint16_t)(code | (bits >> 16 & 0x8000));
  }
  return (Findings){
      .special = special, .worse = worse, .underflowed = underflowed, .inexact = inexact};
}

static Findings narrow64_to_float32(
    LooseFloat *target, const LooseDouble *source, size_t count, double largest) {
  uint64_t special = 0, worse = 0, underflowed = 0, inexact = 0;
  for (size_t i = 0; i < count; i++) {
    double value = source[i];
    float rounded = (float)value;
    double magnitude = float64(bits64(value) & ~(1ull << 63));
    double error = float64(bits64((double)rounded - value) & ~(1ull << 63));
    uint64_t is_zero = rounded == 0;
    special |= !(error < 0x1p128);
    worse |= (error > largest * magnitude) & !is_zero;
    underflowed += is_zero & (magnitude != 0);
    inexact += error != 0;
    target[i] = rounded;
  }
  return (Findings){
      .special = special != 0, .worse = worse != 0, .underflowed = (uint32_t)underflowed,
      .inexact = (uint32_t)inexact};
}

// Statistics

typedef float Float16 __attribute__((ext_vector_type(16)));
typedef int32_t Int16 __attribute__((ext_vector_type(16)));
typedef double Double8 __attribute__((ext_vector_type(8)));
typedef int64_t Long8 __attribute__((ext_vector_type(8)));

static inline double total(const double *lanes, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += lanes[i];
  return sum;
}

static BlockSums sums32(const LooseFloat *source, size_t count) {
  Double8 low = 0, high = 0;
  Float16 least = __builtin_inff(), most = -__builtin_inff();
  Int16 zeros = 0, special = 0;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    Float16 x;
    Int16 bits;
    memcpy(&x, source + i, sizeof x);
    memcpy(&bits, &x, sizeof bits);
    zeros -= x == 0.0f;
    special |= (bits & 0x7F800000) == 0x7F800000;
    least = x < least ? x : least;
    most = x > most ? x : most;
    low += __builtin_convertvector(x.lo, Double8);
    high += __builtin_convertvector(x.hi, Double8);
  }
  BlockSums result = {.min = __builtin_inf(), .max = -__builtin_inf()};
  Double8 both = low + high;
  double lanes[8];
  memcpy(lanes, &both, sizeof lanes);
  result.sum = total(lanes, 8);
  uint32_t found = 0;
  for (int lane = 0; lane < 16; lane++) {
    result.zeros += (uint32_t)zeros[lane];
    found |= (uint32_t)special[lane];
    result.min = least[lane] < result.min ? least[lane] : result.min;
    result.max = most[lane] > result.max ? most[lane] : result.max;
  }
  for (; i < count; i++) {
    float x = source[i];
    result.zeros += x == 0;
    found |= (bits32(x) & 0x7F800000) == 0x7F800000;
    result.min = x < result.min ? x : result.min;
    result.max = x > result.max ? x : result.max;
    result.sum += x;
  }
  result.special = found != 0;
  return result;
}

static BlockSums sums64(const LooseDouble *source, size_t count) {
  Double8 sum = 0;
  Double8 least = __builtin_inf(), most = -__builtin_inf();
  Long8 zeros = 0, special = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    Double8 x;
    Long8 bits;
    memcpy(&x, source + i, sizeof x);
    memcpy(&bits, &x, sizeof bits);
    zeros -= x == 0.0;
    special |= (bits & 0x7FF0000000000000) == 0x7FF0000000000000;
    least = x < least ? x : least;
    most = x > most ? x : most;
    sum += x;
  }
  BlockSums result = {.min = __builtin_inf(), .max = -__builtin_inf()};
  double lanes[8];
  memcpy(lanes, &sum, sizeof lanes);
  result.sum = total(lanes, 8);
  uint64_t found = 0;
  for (int lane = 0; lane < 8; lane++) {
    result.zeros += (uint64_t)zeros[lane];
    found |= (uint64_t)special[lane];
    result.min = least[lane] < result.min ? least[lane] : result.min;
    result.max = most[lane] > result.max ? most[lane] : result.max;
  }
  for (; i < count; i++) {
    double x = source[i];
    result.zeros += x == 0;
    found |= (bits64(x) & 0x7FF0000000000000) == 0x7FF0000000000000;
    result.min = x < result.min ? x : result.min;
    result.max = x > result.max ? x : result.max;
    result.sum += x;
  }
  result.special = found != 0;
  return result;
}

static double squares32(const LooseFloat *source, size_t count, double mean) {
  Double8 low = 0, high = 0;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    Float16 x;
    memcpy(&x, source + i, sizeof x);
    Double8 a = __builtin_convertvector(x.lo, Double8) - mean;
    Double8 b = __builtin_convertvector(x.hi, Double8) - mean;
    low += a * a;
    high += b * b;
  }
  Double8 both = low + high;
  double lanes[8];
  memcpy(lanes, &both, sizeof lanes);
  double result = total(lanes, 8);
  for (; i < count; i++) result += (source[i] - mean) * (source[i] - mean);
  return result;
}

static double squares64(const LooseDouble *source, size_t count, double mean) {
  Double8 sum = 0;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    Double8 x;
    memcpy(&x, source + i, sizeof x);
    sum += (x - mean) * (x - mean);
  }
  double lanes[8];
  memcpy(lanes, &sum, sizeof lanes);
  double result = total(lanes, 8);
  for (; i < count; i++) result += (source[i] - mean) * (source[i] - mean);
  return result;
}

// Nearness

static inline Double8 magnitude8(Double8 x) { return (Double8)((Long8)x & 0x7FFFFFFFFFFFFFFF); }

static inline Long8 special8(Double8 x) {
  return ((Long8)x & 0x7FF0000000000000) == 0x7FF0000000000000;
}

static inline double sum8(Double8 x) {
  double lanes[8];
  memcpy(lanes, &x, sizeof lanes);
  return total(lanes, 8);
}

static inline double most8(Double8 x) {
  double most = x[0];
  for (int lane = 1; lane < 8; lane++) most = x[lane] > most ? x[lane] : most;
  return most;
}

static inline uint64_t any8(Long8 x) {
  uint64_t any = 0;
  for (int lane = 0; lane < 8; lane++) any |= (uint64_t)x[lane];
  return any;
}

static BlockNearness nearness(
    const double *a, const double *b, size_t count, double relative, double absolute) {
  Double8 distances = 0, products = 0, squares_a = 0, squares_b = 0, farthest = 0, worst = 0;
  Long8 outside = 0, special = 0;
  for (size_t i = 0; i < count; i += 8) {
    Double8 x, y;
    memcpy(&x, a + i, sizeof x);
    memcpy(&y, b + i, sizeof y);
    special |= special8(x) | special8(y);
    Double8 distance = magnitude8(x - y);
    Double8 allowed = absolute + relative * magnitude8(y);
    Double8 ratio = distance / allowed;
    ratio = distance == 0.0 ? (Double8)0.0 : ratio;
    outside -= distance > allowed;
    farthest = distance > farthest ? distance : farthest;
    worst = ratio > worst ? ratio : worst;
    distances += distance;
    products += x * y;
    squares_a += x * x;
    squares_b += y * y;
  }
  BlockNearness result = {
      .distances = sum8(distances), .products = sum8(products), .squares_a = sum8(squares_a),
      .squares_b = sum8(squares_b), .farthest = most8(farthest), .worst = most8(worst),
      .special = any8(special) != 0};
  for (int lane = 0; lane < 8; lane++) result.outside += (uint64_t)outside[lane];
  return result;
}

static BlockMagnitudes magnitudes(const double *source, size_t count) {
  Double8 sum = 0, largest = 0;
  Long8 special = 0;
  for (size_t i = 0; i < count; i += 8) {
    Double8 x;
    memcpy(&x, source + i, sizeof x);
    special |= special8(x);
    x = magnitude8(x);
    sum += x;
    largest = x > largest ? x : largest;
  }
  return (BlockMagnitudes){
      .sum = sum8(sum), .largest = most8(largest), .special = any8(special) != 0};
}

static double largest(const double *source, size_t count) {
  Double8 most = -__builtin_inf();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    Double8 x;
    memcpy(&x, source + i, sizeof x);
    most = x > most ? x : most;
  }
  double result = most8(most);
  for (; i < count; i++) result = source[i] > result ? source[i] : result;
  return result;
}

const Loops LOOPS = {
    .widen_float16 = widen_float16,
    .widen_bfloat16 = widen_bfloat16,
    .widen_float32 = widen_float32,
    .count_nan32 = count_nan32,
    .count_nan64 = count_nan64,
    .has_worse = has_worse,
    .narrow32_to8 = narrow32_to8,
    .narrow32_to_float16 = narrow32_to_float16,
    .narrow64_to8 = narrow64_to8,
    .narrow64_to16 = narrow64_to16,
    .narrow32_to_bfloat16 = narrow32_to_bfloat16,
    .narrow64_to_float32 = narrow64_to_float32,
    .sums32 = sums32,
    .sums64 = sums64,
    .squares32 = squares32,
    .squares64 = squares64,
    .nearness = nearness,
    .magnitudes = magnitudes,
    .largest = largest,
};
