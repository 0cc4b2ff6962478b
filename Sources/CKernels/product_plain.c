#include "product.h"

#define VECTOR_BYTES 16
#define TILE_ROWS 4
#define TILE_VECTORS 3
#define TABLE ingot_products_plain
#include "product_level.h"
