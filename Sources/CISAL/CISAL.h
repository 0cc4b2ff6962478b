#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>

// The sizes of level buffers are macros that Swift's importer skips.
static inline unsigned CISAL_largestLevelBuffer(int level) {
  return level == 1 ? ISAL_DEF_LVL1_EXTRA_LARGE : ISAL_DEF_LVL3_EXTRA_LARGE;
}
