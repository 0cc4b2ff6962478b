// Matrix products, with a table of them for each level of instructions.
#ifndef INGOT_PRODUCT_H
#define INGOT_PRODUCT_H
#include "CKernels.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Rows up to which packing does not pay.
enum { FEW_ROWS = 4 };

typedef struct {
  int (*product64)(
      int, int, size_t m, size_t n, size_t k, const double *, size_t, const double *, size_t,
      int, double *, size_t);
  int (*product64_of_32)(
      int, int, size_t m, size_t n, size_t k, const double *, size_t, const float *, size_t,
      int, double *, size_t);
  int (*product32)(
      int, int, size_t m, size_t n, size_t k, const float *, size_t, const float *, size_t, int,
      float *, size_t);
} Products;

extern const Products ingot_products_plain;
#if defined(__x86_64__)
extern const Products ingot_products_avx2;
extern const Products ingot_products_avx512;
#endif

#endif
