#include "reals.h"

#if defined(__x86_64__)
#include <math.h>
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#define TABLE ingot_reals_avx2
#include "reals_level.h"
#pragma clang attribute pop
#endif
