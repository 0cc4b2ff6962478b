#include "levels.h"

#define LOOPS ingot_loops_plain
#if defined(__aarch64__)
#define HAS_HALF 1
#else
#define HAS_HALF 0
#endif
#include "loops.h"
