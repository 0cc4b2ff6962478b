// Matrix products of one level and type: included with REAL the type, STORED the type that b has in memory,
// NAME making names, VECTOR_BYTES the width of a vector, TILE_ROWS and TILE_VECTORS the size of the tile that
// stays in registers.
//
// The usual scheme: a panel of b and a block of a are packed in the order in which they are read, so
// that the innermost loop runs over contiguous memory and keeps a tile of c in registers. Products are
// fused with sums where the processor can, so that the last bits depend on the level.
#pragma clang fp contract(fast)

typedef REAL NAME(Vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL))));
typedef STORED NAME(StoredVector) __attribute__((
    vector_size(VECTOR_BYTES / sizeof(REAL) * sizeof(STORED)), aligned(sizeof(STORED))));
enum {
  NAME(ROWS) = TILE_ROWS,
  NAME(COLUMNS) = TILE_VECTORS * VECTOR_BYTES / sizeof(REAL),
  /// Inner elements of a block: its tiles' panels fit the first cache.
  NAME(DEPTH) = 2048 / sizeof(REAL),
  /// Rows of a block of a, which fits the second cache.
  NAME(HEIGHT) = TILE_ROWS * 24,
  /// Columns of a panel of b, which fits the last.
  NAME(WIDTH) = NAME(COLUMNS) * 64,
  /// Inner elements that are widened at a time.
  NAME(PART) = 64,
};

// One tile: the products of `depth` columns of a with as many rows of b, both packed.
static void NAME(tile)(
    size_t depth, const REAL *a, const REAL *b, REAL tile[NAME(ROWS) * NAME(COLUMNS)]) {
  NAME(Vector) sums[TILE_ROWS][TILE_VECTORS] = {0};
  for (; depth > 0; depth--, a += NAME(ROWS), b += NAME(COLUMNS)) {
    NAME(Vector) row[TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE_VECTORS; j++) row[j] = ((const NAME(Vector) *)b)[j];
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
      for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] += a[i] * row[j];
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE_ROWS; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE_VECTORS; j++)
      ((NAME(Vector) *)(tile + i * NAME(COLUMNS)))[j] = sums[i][j];
  }
}

// Lines of `lines` elements of `count`, in strips of `strip` lines, missing lines as 0: element l of
// line i lies at source[i * line + l * step].
static void NAME(pack)(
    REAL *target, const REAL *source, size_t lines, size_t line, size_t count, size_t step,
    size_t strip) {
  for (size_t first = 0; first < lines; first += strip, target += strip * count) {
    size_t here = lines - first < strip ? lines - first : strip;
    const REAL *from = source + first * line;
    if (here < strip) memset(target, 0, strip * count * sizeof(REAL));
    if (line == 1 && here == NAME(COLUMNS)) {
      // Of a size that the compiler knows: a call for each line took a twentieth of a pass.
      for (size_t l = 0; l < count; l++)
        memcpy(target + l * strip, from + l * step, NAME(COLUMNS) * sizeof(REAL));
    } else if (line == 1) {
      for (size_t l = 0; l < count; l++)
        memcpy(target + l * strip, from + l * step, here * sizeof(REAL));
    } else if (step == 1) {
      // By blocks in registers: one by one this took as long as the product of 64 rows.
      ingot_transpose(
          target, strip * sizeof(REAL), from, line * sizeof(REAL), here, count, sizeof(REAL));
    } else {
      for (size_t i = 0; i < here; i++)
        for (size_t l = 0; l < count; l++) target[l * strip + i] = from[i * line + l * step];
    }
  }
}

// The same for b, which is widened on the way where it is stored as a smaller type: through memory that would
// cost more than the product of few rows.
static void NAME(pack_stored)(
    REAL *target, const STORED *source, size_t columns, size_t column, size_t count, size_t step) {
  const size_t strip = NAME(COLUMNS);
  if (sizeof(STORED) == sizeof(REAL)) {
    NAME(pack)(target, (const REAL *)source, columns, column, count, step, strip);
    return;
  }
  for (size_t first = 0; first < columns; first += strip, target += strip * count) {
    size_t here = columns - first < strip ? columns - first : strip;
    const STORED *from = source + first * column;
    if (column == 1 && here == NAME(COLUMNS)) {
      for (size_t l = 0; l < count; l++)
        for (size_t i = 0; i < NAME(COLUMNS); i++) target[l * strip + i] = from[l * step + i];
      continue;
    }
    REAL wide[NAME(COLUMNS) * NAME(PART)];
    for (size_t l = 0; l < count; l += NAME(PART)) {
      size_t part = count - l < NAME(PART) ? count - l : NAME(PART);
      for (size_t i = 0; i < here; i++)
        for (size_t x = 0; x < part; x++)
          wide[i * NAME(PART) + x] = from[i * column + (l + x) * step];
      NAME(pack)(target + l * strip, wide, here, NAME(PART), part, 1, strip);
    }
  }
}

// Few rows, as one step of a generation has: b is read once, as it lies.
static void NAME(few_rows)(
    int b_transposed, size_t m, size_t n, size_t k, const REAL *a, size_t a_pitch, const STORED *b,
    size_t b_pitch, REAL beta, REAL *c, size_t c_pitch) {
  enum { LANES = VECTOR_BYTES / sizeof(REAL), VECTORS = 4 };
  for (size_t i = 0; i < m; i++, a += a_pitch, c += c_pitch) {
    if (!b_transposed) {
      for (size_t j = 0; j < n; j++) c[j] = beta == 0 ? 0 : beta * c[j];
      for (size_t l = 0; l < k; l++)
        for (size_t j = 0; j < n; j++) c[j] += a[l] * b[l * b_pitch + j];
      continue;
    }
    for (size_t j = 0; j < n; j++) {
      const STORED *row = b + j * b_pitch;
      NAME(Vector) sums[VECTORS] = {0};
      size_t l = 0;
      for (; l + VECTORS * LANES <= k; l += VECTORS * LANES) {
        const NAME(Vector) *one = (const NAME(Vector) *)(a + l);
        const NAME(StoredVector) *other = (const NAME(StoredVector) *)(row + l);
#pragma clang loop unroll(full)
        for (int v = 0; v < VECTORS; v++)
          sums[v] += one[v] * __builtin_convertvector(other[v], NAME(Vector));
      }
      NAME(Vector) all = sums[0] + sums[1] + (sums[2] + sums[3]);
      REAL sum = 0;
      for (size_t v = 0; v < LANES; v++) sum += all[v];
      for (; l < k; l++) sum += a[l] * row[l];
      c[j] = beta == 0 ? sum : beta * c[j] + sum;
    }
  }
}

static int NAME(product)(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const REAL *a,
    size_t a_pitch, const STORED *b, size_t b_pitch, REAL beta, REAL *c, size_t c_pitch) {
  if (m <= FEW_ROWS && !a_transposed) {
    NAME(few_rows)(b_transposed, m, n, k, a, a_pitch, b, b_pitch, beta, c, c_pitch);
    return 1;
  }
  size_t a_row = a_transposed ? 1 : a_pitch, a_step = a_transposed ? a_pitch : 1;
  size_t b_column = b_transposed ? b_pitch : 1, b_step = b_transposed ? 1 : b_pitch;
  size_t depth_most = k < NAME(DEPTH) ? k : NAME(DEPTH);
  size_t width_most = n < NAME(WIDTH) ? n : NAME(WIDTH);
  size_t height_most = m < NAME(HEIGHT) ? m : NAME(HEIGHT);
  size_t strips = (width_most + NAME(COLUMNS) - 1) / NAME(COLUMNS) * NAME(COLUMNS);
  size_t rows = (height_most + NAME(ROWS) - 1) / NAME(ROWS) * NAME(ROWS);
  REAL *packed = malloc((strips + rows) * depth_most * sizeof(REAL));
  if (!packed) return 0;
  REAL *packed_a = packed + strips * depth_most;
  REAL tile[NAME(ROWS) * NAME(COLUMNS)];
  for (size_t column = 0; column < n; column += NAME(WIDTH)) {
    size_t width = n - column < NAME(WIDTH) ? n - column : NAME(WIDTH);
    for (size_t from = 0; from < k; from += NAME(DEPTH)) {
      size_t depth = k - from < NAME(DEPTH) ? k - from : NAME(DEPTH);
      REAL before = from == 0 ? beta : 1;
      NAME(pack_stored)(
          packed, b + column * b_column + from * b_step, width, b_column, depth, b_step);
      for (size_t row = 0; row < m; row += NAME(HEIGHT)) {
        size_t height = m - row < NAME(HEIGHT) ? m - row : NAME(HEIGHT);
        NAME(pack)(
            packed_a, a + row * a_row + from * a_step, height, a_row, depth, a_step, NAME(ROWS));
        for (size_t j = 0; j < width; j += NAME(COLUMNS)) {
          size_t across = width - j < NAME(COLUMNS) ? width - j : NAME(COLUMNS);
          for (size_t i = 0; i < height; i += NAME(ROWS)) {
            size_t down = height - i < NAME(ROWS) ? height - i : NAME(ROWS);
            NAME(tile)(depth, packed_a + i * depth, packed + j * depth, tile);
            for (size_t y = 0; y < down; y++) {
              REAL *to = c + (row + i + y) * c_pitch + column + j;
              const REAL *sums = tile + y * NAME(COLUMNS);
              // What was there may be anything, NaN too, where it is not asked for.
              if (before == 0 && across == NAME(COLUMNS)) {
                memcpy(to, sums, NAME(COLUMNS) * sizeof(REAL));
              } else if (before == 0) {
                memcpy(to, sums, across * sizeof(REAL));
              } else {
                for (size_t x = 0; x < across; x++) to[x] = before * to[x] + sums[x];
              }
            }
          }
        }
      }
    }
  }
  free(packed);
  return 1;
}
