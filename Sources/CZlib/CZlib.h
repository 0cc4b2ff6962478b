#include <zlib.h>

// deflateInit2 and inflateInit2 are macros with sizeof, which Swift's importer skips. Memory level 8 is
// zlib's own default, with which numpy and h5py set the ratios to beat; 9 does worse on integers.
static inline int CZlib_deflateInit2(z_stream *stream, int level, int windowBits, int strategy) {
  return deflateInit2(stream, level, Z_DEFLATED, windowBits, 8, strategy);
}
static inline int CZlib_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}
