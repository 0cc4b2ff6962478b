// Nearness of computed numbers to expected ones, in blocks of float64.
#include "formats.h"

// The same bits on processors that could fuse products with sums.
#pragma STDC FP_CONTRACT OFF

static double magnitude(double value) { return value < 0 ? -value : value; }

static int is_finite(double value) { return value - value == 0; }

// As the fast loops have it: 0 for what is equal, whatever may be between.
static double ratio_of(double a, double b, double relative, double absolute) {
  double distance = magnitude(a - b);
  return distance == 0 ? 0 : distance / (absolute + relative * magnitude(b));
}

// Fills the block up to whole vectors; there is room.
static size_t fill_up(double *block, size_t count) {
  size_t whole = (count + 7) / 8 * 8;
  for (size_t i = count; i < whole; i++) block[i] = 0;
  return whole;
}

// Sets aside NaN and infinities; both sides of the rest come together at the front.
static size_t set_aside(
    double *a, double *b, size_t count, uint64_t start, ingot_nearness_sums *sums) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (is_finite(a[i]) && is_finite(b[i])) {
      a[kept] = a[i];
      b[kept++] = b[i];
      continue;
    }
    if (sums->not_finite++ == 0) sums->position = start + i;
    sums->outside++;
  }
  return kept;
}

static void add_block(
    double *a, double *b, size_t count, double relative, double absolute, uint64_t start,
    ingot_nearness_sums *sums) {
  fill_up(a, count);
  size_t whole = fill_up(b, count);
  BlockNearness found = ingot_loops()->nearness(a, b, whole, relative, absolute);
  if (found.special) {
    add_block(a, b, set_aside(a, b, count, start, sums), relative, absolute, start, sums);
    return;
  }
  sums->outside += found.outside;
  sums->distances += found.distances;
  sums->products += found.products;
  sums->squares_a += found.squares_a;
  sums->squares_b += found.squares_b;
  if (found.farthest > sums->farthest) sums->farthest = found.farthest;
  if (found.worst > sums->worst && sums->not_finite == 0) {
    sums->worst = found.worst;
    size_t i = 0;
    while (i + 1 < count && ratio_of(a[i], b[i], relative, absolute) < found.worst) i++;
    sums->position = start + i;
  }
}

// The first largest element of a row, block by block.
typedef struct {
  double value;
  size_t index;
} Largest;

static void find_largest(Largest *known, const double *block, size_t count, size_t first) {
  double value = ingot_loops()->largest(block, count);
  if (!(value > known->value)) return;
  size_t i = 0;
  while (i + 1 < count && block[i] != value) i++;
  *known = (Largest){value, first + i};
}

void ingot_nearness(
    const void *a, ingot_type type_a, const void *b, ingot_type type_b, size_t rows, size_t width,
    double relative, double absolute, uint64_t start, ingot_nearness_sums *sums) {
  const uint8_t *bytes_a = a, *bytes_b = b;
  size_t width_a = (size_t)ingot_bit_width(type_a) / 8, width_b = (size_t)ingot_bit_width(type_b) / 8;
  double block_a[BLOCK], block_b[BLOCK];
  for (size_t row = 0; row < rows; row++) {
    Largest largest_a = {-__builtin_inf(), 0}, largest_b = {-__builtin_inf(), 0};
    for (size_t first = 0; first < width; first += BLOCK) {
      size_t count = width - first < BLOCK ? width - first : BLOCK;
      size_t place = row * width + first;
      ingot_to_float64(block_a, bytes_a + place * width_a, type_a, count);
      ingot_to_float64(block_b, bytes_b + place * width_b, type_b, count);
      find_largest(&largest_a, block_a, count, first);
      find_largest(&largest_b, block_b, count, first);
      add_block(block_a, block_b, count, relative, absolute, start + place, sums);
    }
    sums->agreeing_rows += largest_a.index == largest_b.index;
  }
}

void ingot_magnitudes(
    const void *source, ingot_type type, size_t count, double *sum, double *largest) {
  const uint8_t *bytes = source;
  size_t width = (size_t)ingot_bit_width(type) / 8;
  double block[BLOCK];
  for (size_t first = 0; first < count; first += BLOCK) {
    size_t length = count - first < BLOCK ? count - first : BLOCK;
    ingot_to_float64(block, bytes + first * width, type, length);
    BlockMagnitudes found = ingot_loops()->magnitudes(block, fill_up(block, length));
    if (found.special) {
      for (size_t i = 0; i < length; i++) block[i] = is_finite(block[i]) ? block[i] : 0;
      found = ingot_loops()->magnitudes(block, fill_up(block, length));
    }
    *sum += found.sum;
    if (found.largest > *largest) *largest = found.largest;
  }
}
