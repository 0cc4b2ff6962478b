#include "product.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define TABLE ingot_products_avx2
#include "product_level.h"
#pragma clang attribute pop
#endif
