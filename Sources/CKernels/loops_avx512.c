#include "levels.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx2,f16c,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define LOOPS ingot_loops_avx512
#define HAS_HALF 1
#include "loops.h"
#pragma clang attribute pop
#endif
