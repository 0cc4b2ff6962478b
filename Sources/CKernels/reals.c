#include "reals.h"

static const RealLoops *loops(void) {
#if defined(__x86_64__)
  switch (ingot_current_level()) {
  case INGOT_LEVEL_AVX512: return &ingot_reals_avx512;
  case INGOT_LEVEL_AVX2: return &ingot_reals_avx2;
  case INGOT_LEVEL_PLAIN: break;
  }
#endif
  return &ingot_reals_plain;
}

void ingot_softmax64(double *x, size_t count, double scale) { loops()->softmax64(x, count, scale); }
void ingot_softmax32(float *x, size_t count, float scale) { loops()->softmax32(x, count, scale); }

void ingot_activate64(double *x, size_t count, ingot_activation function) {
  loops()->activate64(x, count, function);
}

void ingot_activate32(float *x, size_t count, ingot_activation function) {
  loops()->activate32(x, count, function);
}

void ingot_soft_cap64(double *x, size_t count, double cap) { loops()->soft_cap64(x, count, cap); }
void ingot_soft_cap32(float *x, size_t count, float cap) { loops()->soft_cap32(x, count, cap); }

void ingot_normalize64(
    double *x, size_t rows, size_t width, ingot_norm kind, double epsilon, const double *scale,
    const double *shift) {
  loops()->normalize64(x, rows, width, kind, epsilon, scale, shift);
}

void ingot_normalize32(
    float *x, size_t rows, size_t width, ingot_norm kind, float epsilon, const float *scale,
    const float *shift) {
  loops()->normalize32(x, rows, width, kind, epsilon, scale, shift);
}

void ingot_add64(double *x, const double *y, size_t count) { loops()->add64(x, y, count); }
void ingot_add32(float *x, const float *y, size_t count) { loops()->add32(x, y, count); }
void ingot_multiply64(double *x, const double *y, size_t count) { loops()->multiply64(x, y, count); }
void ingot_multiply32(float *x, const float *y, size_t count) { loops()->multiply32(x, y, count); }
void ingot_scale64(double *x, double factor, size_t count) { loops()->scale64(x, factor, count); }
void ingot_scale32(float *x, float factor, size_t count) { loops()->scale32(x, factor, count); }
