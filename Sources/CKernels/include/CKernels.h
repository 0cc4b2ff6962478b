// Loops over whole buffers that a compiler only makes fast with instructions a distributed Swift
// binary may not assume. The processor is asked once; each loop is compiled plainly, for AVX2 and for
// AVX-512, and gives the same bits in all three. Callers check sizes; buffers need no alignment.
#ifndef INGOT_CKERNELS_H
#define INGOT_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

/// Which instructions the loops may use.
typedef enum {
  INGOT_LEVEL_PLAIN = 0,
  INGOT_LEVEL_AVX2 = 1,
  INGOT_LEVEL_AVX512 = 2,
} ingot_level;

/// The level in use.
ingot_level ingot_current_level(void);
/// Uses at most `level` from now on, in the whole process; for tests. Returns what is used then.
ingot_level ingot_limit_level(ingot_level level);

// Moving bytes

/// Transposes a matrix of `rows` × `columns` elements of `width` bytes: element (r, c) at
/// `source + r * source_pitch + c * width` goes to `target + c * target_pitch + r * width`.
/// The two must not overlap.
void ingot_transpose(
    void *target, size_t target_pitch, const void *source, size_t source_pitch, size_t rows,
    size_t columns, size_t width);

/// Reverses the bytes of each of the `count` words of 2, 4 or 8 bytes in place.
void ingot_swap(void *words, size_t count, size_t width);

/// HDF5's shuffle filter: first byte 0 of all `count` elements of `width` bytes, then byte 1, ….
void ingot_shuffle(void *target, const void *source, size_t count, size_t width);
/// The inverse of `ingot_shuffle`.
void ingot_unshuffle(void *target, const void *source, size_t count, size_t width);

// Comparing bytes

/// A 64-bit checksum. Two buffers of one length that differ within one aligned word of 8 bytes never
/// have the same; any others do with the chance of two random numbers. Not cryptographic.
uint64_t ingot_hash64(const void *bytes, size_t count, uint64_t seed);

/// The position of the first byte in which the two differ, or `count`.
size_t ingot_first_difference(const void *a, const void *b, size_t count);

// Element types

typedef enum {
  INGOT_FLOAT64,
  INGOT_FLOAT32,
  INGOT_FLOAT16,
  INGOT_BFLOAT16,
  INGOT_FLOAT8_E4M3FN,
  INGOT_FLOAT8_E5M2,
  INGOT_FLOAT8_E4M3FNUZ,
  INGOT_FLOAT8_E5M2FNUZ,
  INGOT_FLOAT8_E8M0FNU,
  INGOT_FLOAT6_E2M3FN,
  INGOT_FLOAT6_E3M2FN,
  INGOT_FLOAT4_E2M1FN,
  INGOT_INT8,
  INGOT_INT16,
  INGOT_INT32,
  INGOT_INT64,
  INGOT_UINT8,
  INGOT_UINT16,
  INGOT_UINT32,
  INGOT_UINT64,
  INGOT_BOOL,
} ingot_type;

// Casts

/// What happened to the elements of a cast.
typedef struct {
  /// Finite values that became infinite.
  uint64_t overflowed;
  /// Values beyond the target's largest that became the largest.
  uint64_t saturated;
  /// Values other than zero that became zero.
  uint64_t underflowed;
  /// NaN in the source.
  uint64_t nan_in;
  /// Numbers that became NaN.
  uint64_t nan_made;
  /// Numbers that changed at all, those above included.
  uint64_t inexact;
  /// The largest |new − old| / |old| of the numbers that were rounded to one other than zero.
  double largest_relative_error;
} ingot_cast_report;

/// Casts `count` elements; the numbers in `report` are added to. Rounds once, to nearest, ties to
/// even. What exceeds the target becomes infinite where the target has infinities, else its largest
/// value. NaN stays NaN, with its sign and the upper bits of its payload where the target has room,
/// and quiet; as an integer it is 0, as bool 1.
/// Types below eight bits can only be sources, of whole bytes. The buffers must not overlap.
void ingot_cast(
    void *target, ingot_type target_type, const void *source, ingot_type source_type, size_t count,
    ingot_cast_report *report);

// Statistics

/// What `ingot_statistics` adds to. Starts with zeros, `min` at +∞ and `max` at −∞.
typedef struct {
  uint64_t zeros;
  uint64_t nans;
  uint64_t infinities;
  /// How many finite values there are.
  uint64_t finite;
  /// Of all values but NaN.
  double min;
  double max;
  /// Of the finite values.
  double mean;
  /// The sum of the squared distances of the finite values from their mean.
  double squares;
} ingot_statistics_sums;

/// Adds `count` elements to `sums`.
void ingot_statistics(
    const void *source, ingot_type type, size_t count, ingot_statistics_sums *sums);

/// The exact values of `count` elements as float64; 64-bit integers are rounded.
void ingot_to_float64(double *target, const void *source, ingot_type type, size_t count);

// Comparison of values

/// When elements of `components` numbers differ: without a tolerance where their bits do, with one
/// where |a − b| > absolute + relative · |b| or only one of a and b is NaN.
typedef struct {
  size_t components;
  int has_tolerance;
  double relative;
  double absolute;
} ingot_comparison;

/// What `ingot_compare` adds to.
typedef struct {
  /// How many elements differ.
  uint64_t different;
  /// The first of them, where there are any.
  uint64_t first;
  /// Elements with a number that is NaN on one side only.
  uint64_t lone_nans;
  /// The largest |a − b| of numbers.
  double max_absolute;
  /// The largest distance in representable numbers, within one type.
  uint64_t max_steps;
} ingot_differences;

/// Compares `count` numbers with as many; both are real, and of one type unless there is a tolerance.
void ingot_compare(
    const void *a, ingot_type type_a, const void *b, ingot_type type_b, size_t count,
    const ingot_comparison *how, ingot_differences *found);

// Nearness of computed numbers to expected ones

/// What `ingot_nearness` adds to. Starts with zeros.
typedef struct {
  /// How many elements lie too far apart; those that are not finite do.
  uint64_t outside;
  /// How many are NaN or infinite on either side; they enter nothing below but `position`.
  uint64_t not_finite;
  /// The largest |a − b|, and their sum.
  double farthest;
  double distances;
  double products;
  double squares_a;
  double squares_b;
  /// The largest |a − b| as a multiple of what it may be.
  double worst;
  /// Where that is: the place counted from the first element; the first that is not finite, where there
  /// is one.
  uint64_t position;
  /// How many rows have their largest elements at the same place; void where some are not finite.
  uint64_t agreeing_rows;
} ingot_nearness_sums;

/// Adds `rows` rows of `width` elements, the first of which has the place `start`, and which may lie
/// |a − b| ≤ absolute + relative·|b| apart. Types have at least eight bits.
void ingot_nearness(
    const void *a, ingot_type type_a, const void *b, ingot_type type_b, size_t rows, size_t width,
    double relative, double absolute, uint64_t start, ingot_nearness_sums *sums);

/// Adds the magnitudes of the finite of `count` elements to `sum`, and raises `largest` to the largest.
void ingot_magnitudes(
    const void *source, ingot_type type, size_t count, double *sum, double *largest);

// Rows of real numbers, for forward passes: 64 for float64, 32 for float32

/// Activation functions that are vectors of exponentials.
typedef enum {
  INGOT_RELU,
  /// x·Φ(x), with the error function.
  INGOT_GELU,
  INGOT_GELU_TANH,
  INGOT_GELU_SIGMOID,
  INGOT_SILU,
  INGOT_TANH,
} ingot_activation;

typedef enum {
  INGOT_LAYER_NORM,
  INGOT_RMS_NORM,
  /// (x − mean) / (deviation + epsilon), the deviation with Bessel's correction.
  INGOT_BESSEL_NORM,
} ingot_norm;

/// e^(scale·(x − max)) divided by their sum, in place; all 0 where every x is −∞. `scale` is positive.
void ingot_softmax64(double *x, size_t count, double scale);
void ingot_softmax32(float *x, size_t count, float scale);

/// The function of each of the `count` numbers, in place.
void ingot_activate64(double *x, size_t count, ingot_activation function);
void ingot_activate32(float *x, size_t count, ingot_activation function);

/// cap · tanh(x / cap) of each of the `count` numbers, in place.
void ingot_soft_cap64(double *x, size_t count, double cap);
void ingot_soft_cap32(float *x, size_t count, float cap);

/// Normalises each of `rows` rows of `width` numbers, in place, times `scale` plus `shift`.
void ingot_normalize64(
    double *x, size_t rows, size_t width, ingot_norm kind, double epsilon, const double *scale,
    const double *shift);
void ingot_normalize32(
    float *x, size_t rows, size_t width, ingot_norm kind, float epsilon, const float *scale,
    const float *shift);

/// x ← x + y, x ← x · y, x ← factor · x.
void ingot_add64(double *x, const double *y, size_t count);
void ingot_add32(float *x, const float *y, size_t count);
void ingot_multiply64(double *x, const double *y, size_t count);
void ingot_multiply32(float *x, const float *y, size_t count);
void ingot_scale64(double *x, double factor, size_t count);
void ingot_scale32(float *x, float factor, size_t count);

/// c ← a·b, or c + a·b where `is_sum`, in row-major order: a is m × k, b is k × n, both after a transposition where the
/// flag says so; pitches are distances of rows as stored. `k` is at least 1. Returns 0 where memory lacks, and has done
/// nothing then. `_of_32` widens b as it reads it.
///
/// Every element is one chain of fused multiply-adds along the inner dimension, which begins with what c holds, or with
/// 0: the same bits on every level, and however a caller splits the matrices.
int ingot_product64(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const double *a,
    size_t a_pitch, const double *b, size_t b_pitch, int is_sum, double *c, size_t c_pitch);
int ingot_product64_of_32(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const double *a,
    size_t a_pitch, const float *b, size_t b_pitch, int is_sum, double *c, size_t c_pitch);
int ingot_product32(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const float *a,
    size_t a_pitch, const float *b, size_t b_pitch, int is_sum, float *c, size_t c_pitch);

#endif
