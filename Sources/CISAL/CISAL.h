#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>

// The sizes of level buffers are macros that Swift's importer skips; that of level 3 is the largest.
static inline unsigned CISAL_largestLevelBuffer(void) { return ISAL_DEF_LVL3_EXTRA_LARGE; }
