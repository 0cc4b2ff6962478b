#include "product.h"

#define VECTOR_BYTES 16
#if defined(__aarch64__)
#define TILE_ROWS 6
#define TILE_VECTORS 4
#else
#define TILE_ROWS 4
#define TILE_VECTORS 3
#endif
#define TABLE ingot_products_plain
#include "product_level.h"
