// Loops over whole buffers that a compiler only makes fast with instructions a distributed Swift
// binary may not assume. Every function states its contract here; callers check sizes.
#ifndef INGOT_CKERNELS_H
#define INGOT_CKERNELS_H
#include <stddef.h>
#include <stdint.h>

/// Transposes a matrix of `rows` × `columns` elements of `width` bytes: element (r, c) at
/// `source + r * source_pitch + c * width` goes to `target + c * target_pitch + r * width`.
/// The two must not overlap.
void ingot_transpose(
    void *target, size_t target_pitch, const void *source, size_t source_pitch, size_t rows,
    size_t columns, size_t width);

/// Reverses the bytes of each of the `count` words of 2, 4 or 8 bytes in place.
void ingot_swap(void *words, size_t count, size_t width);

#endif
