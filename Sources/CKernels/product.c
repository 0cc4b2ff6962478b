#include "product.h"

static const Products *products(void) {
#if defined(__x86_64__)
  switch (ingot_current_level()) {
  case INGOT_LEVEL_AVX512: return &ingot_products_avx512;
  case INGOT_LEVEL_AVX2: return &ingot_products_avx2;
  case INGOT_LEVEL_PLAIN: break;
  }
#endif
  return &ingot_products_plain;
}

int ingot_product64(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const double *a,
    size_t a_pitch, const double *b, size_t b_pitch, int is_sum, double *c, size_t c_pitch) {
  return products()->product64(
      a_transposed, b_transposed, m, n, k, a, a_pitch, b, b_pitch, is_sum, c, c_pitch);
}

int ingot_product64_of_32(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const double *a,
    size_t a_pitch, const float *b, size_t b_pitch, int is_sum, double *c, size_t c_pitch) {
  return products()->product64_of_32(
      a_transposed, b_transposed, m, n, k, a, a_pitch, b, b_pitch, is_sum, c, c_pitch);
}

int ingot_product32(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const float *a,
    size_t a_pitch, const float *b, size_t b_pitch, int is_sum, float *c, size_t c_pitch) {
  return products()->product32(
      a_transposed, b_transposed, m, n, k, a, a_pitch, b, b_pitch, is_sum, c, c_pitch);
}
