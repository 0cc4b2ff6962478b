// One level: included with VECTOR_BYTES, TILE_ROWS and TILE_VECTORS of the level and TABLE naming the
// table to define.

typedef uint32_t WORDS __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t PAIRS __attribute__((vector_size(VECTOR_BYTES)));
// Words, or pairs of words, of two vectors in turn, from the lower or the upper half of each 16 bytes.
#if VECTOR_BYTES == 16
#define WORDS_LOW 0, 4, 1, 5
#define WORDS_HIGH 2, 6, 3, 7
#define PAIRS_LOW 0, 2
#define PAIRS_HIGH 1, 3
#elif VECTOR_BYTES == 32
#define WORDS_LOW 0, 8, 1, 9, 4, 12, 5, 13
#define WORDS_HIGH 2, 10, 3, 11, 6, 14, 7, 15
#define PAIRS_LOW 0, 4, 2, 6
#define PAIRS_HIGH 1, 5, 3, 7
#else
#define WORDS_LOW 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define WORDS_HIGH 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define PAIRS_LOW 0, 8, 2, 10, 4, 12, 6, 14
#define PAIRS_HIGH 1, 9, 3, 11, 5, 13, 7, 15
#endif
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector((WORDS)(a), (WORDS)(b), WORDS_LOW)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector((WORDS)(a), (WORDS)(b), WORDS_HIGH)
#define PAIR_LOW(a, b) __builtin_shufflevector((PAIRS)(a), (PAIRS)(b), PAIRS_LOW)
#define PAIR_HIGH(a, b) __builtin_shufflevector((PAIRS)(a), (PAIRS)(b), PAIRS_HIGH)
/// Vectors of columns whose sums are kept side by side where there are few rows.
enum { GROUPS = 2 };

#define REAL double
#define STORED double
#define NAME(name) name##_64
#include "product_body.h"
#undef STORED
#undef NAME
#define STORED float
#define NAME(name) name##_64_of_32
#include "product_body.h"
#undef REAL
#undef NAME
#define REAL float
#define NAME(name) name##_32
#include "product_body.h"

const Products TABLE = {product_64, product_64_of_32, product_32};
