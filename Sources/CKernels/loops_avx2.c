#include "levels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), apply_to = function)
#define LOOPS ingot_loops_avx2
#define HAS_HALF 1
#include "loops.h"
#pragma clang attribute pop
#endif
