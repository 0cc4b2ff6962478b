// One level: included with TABLE naming the table to define.
#include <math.h>

#define EXP_TERMS 14
#define ERFC_TERMS 23
#define REAL double
#define BITS uint64_t
#define SIGNED int64_t
#define NAME(name) name##_64
#define SQRT sqrt
#define EXP_LEAST -708.0
#define EXP_MOST 710.0
#define EXP_ROUND 0x1.8p52
#define EXP_SPARE 32
#define EXP_BIAS 1023
#define EXP_FRACTION 52
#define EXP_LN2_HIGH 0x1.62e42fefa3800p-1
#define EXP_LN2_LOW 0x1.ef35793c76730p-45
#define exp_series exp_series_64
#define TANH_MOST 40.0
#define ERFC_K 4.0
#define ERFC_MOST 27.0
#define ERFC_SLOPE 0x1.25ed097b425edp+1
#define ERFC_OFFSET 0x1.4bda12f684bdap+0
#define erfc_series erfc_series_64
// 1/n!
static const double exp_series_64[EXP_TERMS] = {
  1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
  1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
};
static const double erfc_series_64[ERFC_TERMS] = {
  0x1.3c73617cc7a77p-2, 0x1.0cf1babf14aadp-2, 0x1.8c0bda31cec92p-3, 0x1.f7741a6e59d0cp-4,
  0x1.11974608a70dbp-4, 0x1.f31305d3b387dp-6, 0x1.709554a87a0e6p-7, 0x1.9791b32cd06d2p-9,
  0x1.05f29a0040411p-11, -0x1.19bd096acf8c0p-15, -0x1.6f57672c7288bp-15,
  -0x1.1c5dea00a2e9cp-17, 0x1.aa24618ebb839p-20, 0x1.0a69951731b88p-20,
  0x1.1ca605a27e9b3p-26, -0x1.7921bc363c63ep-24, -0x1.695c806521db1p-27,
  0x1.083094529f0dfp-27, 0x1.957009b776291p-30, -0x1.750ae42fb3357p-31,
  -0x1.552354744c88ap-33, 0x1.8636a9743e4ccp-35, 0x1.6de5196c8ffe7p-37,
};
#include "reals_body.h"

#undef EXP_TERMS
#undef ERFC_TERMS
#undef REAL
#undef BITS
#undef SIGNED
#undef NAME
#undef SQRT
#undef EXP_LEAST
#undef EXP_MOST
#undef EXP_ROUND
#undef EXP_SPARE
#undef EXP_BIAS
#undef EXP_FRACTION
#undef EXP_LN2_HIGH
#undef EXP_LN2_LOW
#undef exp_series
#undef TANH_MOST
#undef ERFC_K
#undef ERFC_MOST
#undef ERFC_SLOPE
#undef ERFC_OFFSET
#undef erfc_series
#define EXP_TERMS 8
#define ERFC_TERMS 11
#define REAL float
#define BITS uint32_t
#define SIGNED int32_t
#define NAME(name) name##_32
#define SQRT sqrtf
#define EXP_LEAST -87.0f
#define EXP_MOST 89.0f
#define EXP_ROUND 0x1.8p23f
#define EXP_SPARE 16
#define EXP_BIAS 127
#define EXP_FRACTION 23
#define EXP_LN2_HIGH 0x1.62e4p-1f
#define EXP_LN2_LOW 0x1.7f7d1cp-20f
#define exp_series exp_series_32
#define TANH_MOST 20.0f
#define ERFC_K 2.0f
#define ERFC_MOST 10.5f
#define ERFC_SLOPE 0x1.30c30cp+1f
#define ERFC_OFFSET 0x1.618618p+0f
#define erfc_series erfc_series_32
static const float exp_series_32[EXP_TERMS] = {
  1.0f, 1.0f, 1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720, 1.0f / 5040,
};
static const float erfc_series_32[ERFC_TERMS] = {
  0x1.23898a0000000p-1f, 0x1.4f0a580000000p-2f, 0x1.a805a00000000p-4f,
  0x1.9d6dfc0000000p-8f, -0x1.9eaac60000000p-8f, -0x1.61d8ae0000000p-11f,
  0x1.47b5e60000000p-11f, 0x1.4a99a80000000p-17f, -0x1.29be3c0000000p-14f,
  0x1.b635e20000000p-18f, 0x1.7fd1040000000p-18f,
};
#include "reals_body.h"

const RealLoops TABLE = {
  softmax_64, softmax_32, activate_64, activate_32, soft_cap_64, soft_cap_32, normalize_64, normalize_32, add_64, add_32,
  multiply_64, multiply_32, scale_64, scale_32,
};
