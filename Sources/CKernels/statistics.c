// Statistics of one pass, in blocks: the mean of a block, then the squares of the distances from it,
// and the blocks joined as Chan, Golub and LeVeque do, so that nothing cancels.
#include "formats.h"

// The same bits on processors that could fuse products with sums.
#pragma STDC FP_CONTRACT OFF

static void join(ingot_statistics_sums *sums, uint64_t count, double mean, double squares) {
  if (count == 0) return;
  double all = (double)(sums->finite + count);
  double distance = mean - sums->mean;
  sums->mean += distance * ((double)count / all);
  sums->squares += squares + distance * distance * ((double)sums->finite * (double)count / all);
  sums->finite += count;
}

static void add64(const LooseDouble *block, size_t count, ingot_statistics_sums *sums);

static void add_block(
    BlockSums block, size_t count, double mean, double squares, ingot_statistics_sums *sums) {
  sums->zeros += block.zeros;
  sums->min = block.min < sums->min ? block.min : sums->min;
  sums->max = block.max > sums->max ? block.max : sums->max;
  join(sums, count, mean, squares);
}

// Sets aside NaN and infinities and adds the rest.
static void add_finite(const LooseDouble *block, size_t count, ingot_statistics_sums *sums) {
  double finite[BLOCK];
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    double value = block[i];
    if (value != value) {
      sums->nans++;
    } else if (value - value != 0) {
      sums->infinities++;
      sums->min = value < sums->min ? value : sums->min;
      sums->max = value > sums->max ? value : sums->max;
    } else {
      finite[kept++] = value;
    }
  }
  if (kept > 0) add64(finite, kept, sums);
}

static void add64(const LooseDouble *block, size_t count, ingot_statistics_sums *sums) {
  BlockSums found = ingot_loops()->sums64(block, count);
  if (found.special) {
    add_finite(block, count, sums);
    return;
  }
  double mean = found.sum / (double)count;
  add_block(found, count, mean, ingot_loops()->squares64(block, count, mean), sums);
}

static void add32(const LooseFloat *block, size_t count, ingot_statistics_sums *sums) {
  BlockSums found = ingot_loops()->sums32(block, count);
  if (found.special) {
    double wide[BLOCK];
    ingot_loops()->widen_float32(wide, block, count);
    add_finite(wide, count, sums);
    return;
  }
  double mean = found.sum / (double)count;
  add_block(found, count, mean, ingot_loops()->squares32(block, count, mean), sums);
}

void ingot_statistics(
    const void *source, ingot_type type, size_t count, ingot_statistics_sums *sums) {
  Table table;
  ingot_fill_table(&table, type);
  for (size_t first = 0; first < count; first += BLOCK) {
    size_t length = count - first < BLOCK ? count - first : BLOCK;
    if (type == INGOT_FLOAT32) {
      add32((const LooseFloat *)source + first, length, sums);
    } else if (type == INGOT_FLOAT64) {
      add64((const LooseDouble *)source + first, length, sums);
    } else if (ingot_fits_float32(type)) {
      float block[BLOCK];
      ingot_decode32(block, source, type, &table, first, length);
      add32(block, length, sums);
    } else {
      // None of these is below eight bits.
      double block[BLOCK];
      size_t width = (size_t)ingot_bit_width(type) / 8;
      ingot_to_float64(block, (const uint8_t *)source + first * width, type, length);
      add64(block, length, sums);
    }
  }
}
