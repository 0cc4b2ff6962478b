// The loops that exist once per level of instructions, and what they share.
#ifndef INGOT_LEVELS_H
#define INGOT_LEVELS_H
#include "CKernels.h"
#include <string.h>

// Buffers come from files and need no alignment.
typedef float __attribute__((aligned(1), may_alias)) LooseFloat;
typedef double __attribute__((aligned(1), may_alias)) LooseDouble;
typedef uint16_t __attribute__((aligned(1), may_alias)) LooseUInt16;

/// A float type of at most 16 bits. A magnitude's code is its exponent field and fraction read as one
/// number, so that codes grow with the values.
typedef struct {
  /// The bits of the fraction.
  int fraction;
  /// The exponent of the smallest normal number.
  int min_exponent;
  /// The code of the largest finite magnitude; infinity, where there is one, comes next.
  uint32_t max_code;
  int has_infinity;
  /// False where the place of negative zero is taken by NaN.
  int has_negative_zero;
  /// The code of NaN, quiet and without payload.
  uint32_t nan;
  int sign_shift;
} Format;

/// Elements treated together: a block of float64 stays in the first cache, and counts fit 32 bits.
enum { BLOCK = 1024 };

/// What a fast loop found beside the numbers it rounded.
typedef struct {
  /// Some element became infinite or NaN or had to be limited: the block must be done exactly.
  uint32_t special;
  /// Some relative error may exceed `largest`.
  uint32_t worse;
  uint32_t underflowed;
  uint32_t inexact;
} Findings;

/// The sums of one block of finite values.
typedef struct {
  double sum, min, max;
  uint64_t zeros;
  /// True where the block has NaN or infinities; the rest is void then.
  int special;
} BlockSums;

/// How near one block of finite values lies to another.
typedef struct {
  double distances, products, squares_a, squares_b, farthest, worst;
  uint64_t outside;
  /// True where a block has NaN or infinities; the rest is void then.
  int special;
} BlockNearness;

/// The magnitudes of one block of finite values.
typedef struct {
  double sum, largest;
  /// True where the block has NaN or infinities; the rest is void then.
  int special;
} BlockMagnitudes;

/// One entry per loop. `count` is at most BLOCK except for the widening loops.
typedef struct {
  void (*widen_float16)(LooseFloat *, const LooseUInt16 *, size_t);
  void (*widen_bfloat16)(LooseFloat *, const LooseUInt16 *, size_t);
  void (*widen_float32)(LooseDouble *, const LooseFloat *, size_t);
  size_t (*count_nan32)(const LooseFloat *, size_t);
  size_t (*count_nan64)(const LooseDouble *, size_t);
  /// Whether |rounded − value| exceeds `largest` · |value| for some number that is not rounded to zero.
  int (*has_worse)(const LooseFloat *rounded, const LooseFloat *values, size_t, double largest);
  /// Round to a type of at most 8 and at most 16 bits; `largest` is the relative error to report.
  Findings (*narrow32_to8)(uint8_t *, const LooseFloat *, size_t, const Format *, float largest);
  Findings (*narrow64_to8)(uint8_t *, const LooseDouble *, size_t, const Format *, double largest);
  Findings (*narrow64_to16)(LooseUInt16 *, const LooseDouble *, size_t, const Format *, double largest);
  Findings (*narrow32_to_float16)(LooseUInt16 *, const LooseFloat *, size_t, const Format *, float largest);
  Findings (*narrow32_to_bfloat16)(LooseUInt16 *, const LooseFloat *, size_t, float largest);
  Findings (*narrow64_to_float32)(LooseFloat *, const LooseDouble *, size_t, double largest);
  BlockSums (*sums32)(const LooseFloat *, size_t);
  BlockSums (*sums64)(const LooseDouble *, size_t);
  double (*squares32)(const LooseFloat *, size_t, double mean);
  double (*squares64)(const LooseDouble *, size_t, double mean);
  /// These two take a multiple of 8 values, the last of which may be zeros that fill up.
  BlockNearness (*nearness)(
      const double *a, const double *b, size_t, double relative, double absolute);
  BlockMagnitudes (*magnitudes)(const double *, size_t);
  double (*largest)(const double *, size_t);
} Loops;

extern const Loops ingot_loops_plain;
#if defined(__x86_64__)
extern const Loops ingot_loops_avx2;
extern const Loops ingot_loops_avx512;
#endif

/// The loops of the current level.
const Loops *ingot_loops(void);

#endif
