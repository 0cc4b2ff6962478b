// Loops over whole rows of real numbers, for forward passes.
#ifndef INGOT_REALS_H
#define INGOT_REALS_H
#include "CKernels.h"
#include <string.h>

/// One entry per loop and type.
typedef struct {
  void (*softmax64)(double *, size_t, double scale);
  void (*softmax32)(float *, size_t, float scale);
  void (*activate64)(double *, size_t, ingot_activation);
  void (*activate32)(float *, size_t, ingot_activation);
  void (*soft_cap64)(double *, size_t, double cap);
  void (*soft_cap32)(float *, size_t, float cap);
  void (*normalize64)(
      double *, size_t rows, size_t width, ingot_norm, double epsilon, const double *,
      const double *);
  void (*normalize32)(
      float *, size_t rows, size_t width, ingot_norm, float epsilon, const float *, const float *);
  void (*add64)(double *, const double *, size_t);
  void (*add32)(float *, const float *, size_t);
  void (*multiply64)(double *, const double *, size_t);
  void (*multiply32)(float *, const float *, size_t);
  void (*scale64)(double *, double, size_t);
  void (*scale32)(float *, float, size_t);
} RealLoops;

extern const RealLoops ingot_reals_plain;
#if defined(__x86_64__)
extern const RealLoops ingot_reals_avx2;
extern const RealLoops ingot_reals_avx512;
#endif

#endif
