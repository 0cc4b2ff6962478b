#include "reals.h"

#if defined(__x86_64__)
#include <math.h>
#pragma clang attribute push( \
    __attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512))), \
    apply_to = function)
#define TABLE ingot_reals_avx512
#include "reals_level.h"
#pragma clang attribute pop
#endif
