#include "product.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"), \
                   min_vector_width(512))), apply_to = function)
#define VECTOR_BYTES 64
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define TABLE ingot_products_avx512
#include "product_level.h"
#pragma clang attribute pop
#endif
