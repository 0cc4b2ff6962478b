// One level: included with VECTOR_BYTES, TILE_ROWS and TILE_VECTORS of the level and TABLE naming the
// table to define.
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
