#include "CBLAS.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

// The one enumeration of CBLAS that is used: rows are contiguous.
enum { ROW_MAJOR = 101 };

typedef void (*Dgemm)(
    int, int, int, int, int, int, double, const double *, int, const double *, int, double,
    double *, int);
typedef void (*Sgemm)(
    int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
    int);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *name;
static Dgemm dgemm;
static Sgemm sgemm;

static const char *const candidates[] = {
#if defined(__APPLE__)
  "/System/Library/Frameworks/Accelerate.framework/Accelerate",
  "libopenblas.0.dylib",
  "libopenblas.dylib",
#else
  "libopenblas.so.0",
  "libopenblas.so",
  "libopenblasp.so.0",
#endif
};

// Sets a variable for the time in which the library reads it; true where the user had not set it.
static int suggest(const char *variable, const char *value) {
  if (getenv(variable)) return 0;
  setenv(variable, value, 0);
  return 1;
}

static const char *best_core(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
      && __builtin_cpu_supports("avx512cd"))
    return "SkylakeX";
#endif
  return NULL;
}

// Whether the library computes with vectors half as wide as the processor's, because it does not know
// the processor or was told so: our own loops are faster then.
static int is_narrow(void *library, const char *best) {
  const char *(*core_name)(void) = (const char *(*)(void))dlsym(library, "openblas_get_corename");
  if (!best || !core_name) return 0;
  static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids"};
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    if (strcasecmp(core_name(), wide[i]) == 0) return 0;
  return 1;
}

static void load(void) {
  const char *core = best_core();
  int chose_core = core && suggest("OPENBLAS_CORETYPE", core);
  int chose_threads = suggest("OPENBLAS_NUM_THREADS", "1");
  for (size_t i = 0; i < sizeof candidates / sizeof *candidates && !name; i++) {
    void *library = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) continue;
    dgemm = (Dgemm)dlsym(library, "cblas_dgemm");
    sgemm = (Sgemm)dlsym(library, "cblas_sgemm");
    if (dgemm && sgemm && !is_narrow(library, core)) {
      name = candidates[i];
      void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
      if (set_threads) set_threads(1);
    } else {
      dlclose(library);
    }
  }
  if (chose_core) unsetenv("OPENBLAS_CORETYPE");
  if (chose_threads) unsetenv("OPENBLAS_NUM_THREADS");
}

const char *ingot_blas_load(void) {
  pthread_once(&once, load);
  return name;
}

void ingot_blas_dgemm(
    ingot_transposition a_as, ingot_transposition b_as, int32_t m, int32_t n, int32_t k,
    const double *a, int32_t a_pitch, const double *b, int32_t b_pitch, double beta, double *c,
    int32_t c_pitch) {
  dgemm(ROW_MAJOR, a_as, b_as, m, n, k, 1, a, a_pitch, b, b_pitch, beta, c, c_pitch);
}

void ingot_blas_sgemm(
    ingot_transposition a_as, ingot_transposition b_as, int32_t m, int32_t n, int32_t k,
    const float *a, int32_t a_pitch, const float *b, int32_t b_pitch, float beta, float *c,
    int32_t c_pitch) {
  sgemm(ROW_MAJOR, a_as, b_as, m, n, k, 1, a, a_pitch, b, b_pitch, beta, c, c_pitch);
}
