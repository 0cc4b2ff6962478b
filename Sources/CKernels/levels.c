#include "levels.h"
#include <stdatomic.h>

static ingot_level supported(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // Every processor with AVX-512 has fused multiply-adds; of those with AVX2 all but a few.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return INGOT_LEVEL_AVX512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")
      && __builtin_cpu_supports("fma"))
    return INGOT_LEVEL_AVX2;
#endif
  return INGOT_LEVEL_PLAIN;
}

// −1 until the processor was asked; threads that ask at the same time find the same.
static _Atomic int current = -1;

ingot_level ingot_current_level(void) {
  int level = atomic_load_explicit(&current, memory_order_relaxed);
  if (level < 0) {
    level = supported();
    atomic_store_explicit(&current, level, memory_order_relaxed);
  }
  return level;
}

ingot_level ingot_limit_level(ingot_level level) {
  ingot_level best = supported();
  atomic_store_explicit(&current, level < best ? level : best, memory_order_relaxed);
  return ingot_current_level();
}

const Loops *ingot_loops(void) {
#if defined(__x86_64__)
  switch (ingot_current_level()) {
  case INGOT_LEVEL_AVX512: return &ingot_loops_avx512;
  case INGOT_LEVEL_AVX2: return &ingot_loops_avx2;
  case INGOT_LEVEL_PLAIN: break;
  }
#endif
  return &ingot_loops_plain;
}
