#include <zlib.h>

// deflateInit2 and inflateInit2 are macros with sizeof, which Swift's importer skips.
static inline int CZlib_deflateInit2(z_stream *stream, int level, int windowBits, int strategy) {
  return deflateInit2(stream, level, Z_DEFLATED, windowBits, 9, strategy);
}
static inline int CZlib_inflateInit2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}
