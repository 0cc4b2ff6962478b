#include "reals.h"

#define TABLE ingot_reals_plain
#include "reals_level.h"
