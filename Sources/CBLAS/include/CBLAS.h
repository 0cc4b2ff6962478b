// Matrix products of a BLAS that is loaded when the first product comes, so that a command without
// arithmetic pays for neither its pages nor its threads.
#ifndef INGOT_CBLAS_H
#define INGOT_CBLAS_H
#include <stdint.h>

/// Loads the library where it is not loaded yet; its name, or NULL where none was found that uses the
/// processor's widest vectors. The library is told to compute in the calling thread: the work is split by the caller.
///
/// OpenBLAS picks its kernels by a list of processors that ends at the year of its release, and takes
/// newer ones for a machine with half the vector width. Where the processor has AVX-512 and the user
/// has not chosen, the choice is made here, by OpenBLAS's own variable.
const char *ingot_blas_load(void);

/// What a matrix is multiplied as.
typedef enum {
  INGOT_AS_IT_IS = 111,
  INGOT_TRANSPOSED = 112,
} ingot_transposition;

/// c ← a·b + beta·c in row-major order: a is m × k, b is k × n, both after their transposition; a
/// pitch is the distance of rows as stored. `ingot_blas_load` must have found a library.
void ingot_blas_dgemm(
    ingot_transposition a_as, ingot_transposition b_as, int32_t m, int32_t n, int32_t k,
    const double *a, int32_t a_pitch, const double *b, int32_t b_pitch, double beta, double *c,
    int32_t c_pitch);
/// The same in single precision.
void ingot_blas_sgemm(
    ingot_transposition a_as, ingot_transposition b_as, int32_t m, int32_t n, int32_t k,
    const float *a, int32_t a_pitch, const float *b, int32_t b_pitch, float beta, float *c,
    int32_t c_pitch);

#endif
