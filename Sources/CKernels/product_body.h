// Matrix products of one level and type: included with REAL the type, STORED the type that b has in memory,
// NAME making names, VECTOR_BYTES the width of a vector, TILE_ROWS and TILE_VECTORS the size of the tile that stays in
// registers.
//
// Every element of c is one chain of fused multiply-adds along the inner dimension, from its first element to its
// last, that begins with what c holds or with 0. Vectors lie across columns, and a block of inner elements goes on
// where the block before it stopped, so that neither the width of a vector nor the size of a block, nor how a caller
// splits the matrices, changes a bit.
//
// The usual scheme: a panel of b and a block of a are packed in the order in which they are read, so
// that the innermost loop runs over contiguous memory and keeps a tile of c in registers.
#pragma STDC FP_CONTRACT OFF

typedef REAL NAME(Vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL))));
typedef STORED NAME(StoredVector) __attribute__((
    vector_size(VECTOR_BYTES / sizeof(REAL) * sizeof(STORED)), aligned(sizeof(STORED))));
enum {
  NAME(LANES) = VECTOR_BYTES / sizeof(REAL),
  NAME(PIECE) = 16 / sizeof(REAL),
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
  /// Columns of few rows that are computed at a time: their sums stay in the first cache.
  NAME(SPAN) = 8192 / sizeof(REAL),
};

// One tile of `rows` rows: what c holds, or 0 where it is fresh, plus the products of `depth` columns of a with as many
// rows of b, both packed.
__attribute__((always_inline)) static inline void NAME(tile_of)(
    int rows, size_t depth, const REAL *a, const REAL *b, REAL *c, size_t c_pitch, int is_fresh) {
  NAME(Vector) sums[TILE_ROWS][TILE_VECTORS];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE_VECTORS; j++)
      sums[i][j] = is_fresh ? (NAME(Vector)){0} : ((const NAME(Vector) *)(c + i * c_pitch))[j];
  }
  for (; depth > 0; depth--, a += NAME(ROWS), b += NAME(COLUMNS)) {
    NAME(Vector) row[TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE_VECTORS; j++) row[j] = ((const NAME(Vector) *)b)[j];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      NAME(Vector) factor = (NAME(Vector)){0} + a[i];
#pragma clang loop unroll(full)
      for (int j = 0; j < TILE_VECTORS; j++)
        sums[i][j] = __builtin_elementwise_fma(factor, row[j], sums[i][j]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE_VECTORS; j++) ((NAME(Vector) *)(c + i * c_pitch))[j] = sums[i][j];
  }
}

// The same for a number of rows that the compiler does not know.
static void NAME(tile)(
    size_t rows, size_t depth, const REAL *a, const REAL *b, REAL *c, size_t c_pitch, int is_fresh) {
  switch (rows) {
  case 1: NAME(tile_of)(1, depth, a, b, c, c_pitch, is_fresh); break;
  case 2: NAME(tile_of)(2, depth, a, b, c, c_pitch, is_fresh); break;
  case 3: NAME(tile_of)(3, depth, a, b, c, c_pitch, is_fresh); break;
#if TILE_ROWS > 4
  case 4: NAME(tile_of)(4, depth, a, b, c, c_pitch, is_fresh); break;
  case 5: NAME(tile_of)(5, depth, a, b, c, c_pitch, is_fresh); break;
#endif
  default: NAME(tile_of)(TILE_ROWS, depth, a, b, c, c_pitch, is_fresh); break;
  }
}

// The same for a tile that reaches over the last column of c.
static void NAME(part_of_tile)(
    size_t rows, size_t columns, size_t depth, const REAL *a, const REAL *b, REAL *c, size_t c_pitch,
    int is_fresh) {
  REAL whole[NAME(ROWS) * NAME(COLUMNS)] = {0};
  for (size_t i = 0; i < rows && !is_fresh; i++)
    memcpy(whole + i * NAME(COLUMNS), c + i * c_pitch, columns * sizeof(REAL));
  NAME(tile)(rows, depth, a, b, whole, NAME(COLUMNS), is_fresh);
  for (size_t i = 0; i < rows; i++)
    memcpy(c + i * c_pitch, whole + i * NAME(COLUMNS), columns * sizeof(REAL));
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

// Few rows, as one step of a generation has, and b stored [inner, columns]: b is read once, as it lies.
static void NAME(few_rows_as_they_lie)(
    size_t m, size_t n, size_t k, const REAL *a, size_t a_pitch, const STORED *b, size_t b_pitch,
    int is_sum, REAL *c, size_t c_pitch) {
  for (size_t i = 0; i < m && !is_sum; i++) memset(c + i * c_pitch, 0, n * sizeof(REAL));
  for (size_t column = 0; column < n; column += NAME(SPAN)) {
    size_t width = n - column < NAME(SPAN) ? n - column : NAME(SPAN);
    size_t l = 0;
    for (; l + 4 <= k; l += 4) {
      const STORED *r0 = b + l * b_pitch + column, *r1 = r0 + b_pitch, *r2 = r1 + b_pitch,
                   *r3 = r2 + b_pitch;
      for (size_t i = 0; i < m; i++) {
        const REAL *f = a + i * a_pitch + l;
        REAL *to = c + i * c_pitch + column;
        size_t j = 0;
        for (; j + NAME(LANES) <= width; j += NAME(LANES)) {
          NAME(Vector) sum = *(const NAME(Vector) *)(to + j);
#define STEP(row, x) \
  sum = __builtin_elementwise_fma( \
      (NAME(Vector)){0} + f[x], \
      __builtin_convertvector(*(const NAME(StoredVector) *)(row + j), NAME(Vector)), sum)
          STEP(r0, 0);
          STEP(r1, 1);
          STEP(r2, 2);
          STEP(r3, 3);
#undef STEP
          *(NAME(Vector) *)(to + j) = sum;
        }
        for (; j < width; j++) {
          REAL sum = __builtin_elementwise_fma(f[0], (REAL)r0[j], to[j]);
          sum = __builtin_elementwise_fma(f[1], (REAL)r1[j], sum);
          sum = __builtin_elementwise_fma(f[2], (REAL)r2[j], sum);
          to[j] = __builtin_elementwise_fma(f[3], (REAL)r3[j], sum);
        }
      }
    }
    for (; l < k; l++)
      for (size_t i = 0; i < m; i++)
        for (size_t j = column; j < column + width; j++)
          c[i * c_pitch + j] = __builtin_elementwise_fma(
              a[i * a_pitch + l], (REAL)b[l * b_pitch + j], c[i * c_pitch + j]);
  }
}

// PIECE inner elements of LANES columns of b, which is stored [columns, inner], as PIECE vectors of one inner element
// each: 16 bytes of every PIECE-th column make a vector, and such vectors are transposed within their 16 bytes.
__attribute__((always_inline)) static inline void NAME(turn)(
    const STORED *b, size_t b_pitch, NAME(Vector) turned[NAME(PIECE)]) {
#pragma clang loop unroll(full)
  for (size_t i = 0; i < NAME(PIECE); i++) {
    NAME(StoredVector) line;
#pragma clang loop unroll(full)
    for (size_t q = 0; q < VECTOR_BYTES / 16; q++)
      memcpy(
          (STORED *)&line + q * NAME(PIECE), b + (i + q * NAME(PIECE)) * b_pitch,
          NAME(PIECE) * sizeof(STORED));
    turned[i] = __builtin_convertvector(line, NAME(Vector));
  }
  if (NAME(PIECE) == 4) {
    WORDS one = INTERLEAVE_LOW(turned[0], turned[1]);
    WORDS two = INTERLEAVE_LOW(turned[2], turned[3]);
    WORDS three = INTERLEAVE_HIGH(turned[0], turned[1]);
    WORDS four = INTERLEAVE_HIGH(turned[2], turned[3]);
    turned[0] = (NAME(Vector))PAIR_LOW(one, two);
    turned[1] = (NAME(Vector))PAIR_HIGH(one, two);
    turned[2] = (NAME(Vector))PAIR_LOW(three, four);
    turned[3] = (NAME(Vector))PAIR_HIGH(three, four);
  } else {
    NAME(Vector) first = turned[0], second = turned[1];
    turned[0] = (NAME(Vector))PAIR_LOW(first, second);
    turned[1] = (NAME(Vector))PAIR_HIGH(first, second);
  }
}

// Few rows and b stored [columns, inner]: `rows` rows of GROUPS vectors of columns.
__attribute__((always_inline)) static inline void NAME(few_rows_of)(
    int rows, int groups, size_t k, const REAL *a, size_t a_pitch, const STORED *b, size_t b_pitch,
    int is_sum, REAL *c, size_t c_pitch) {
  NAME(Vector) sums[FEW_ROWS][GROUPS];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++)
      sums[i][g] = is_sum ? ((const NAME(Vector) *)(c + i * c_pitch))[g] : (NAME(Vector)){0};
  }
  size_t l = 0;
  for (; l + NAME(PIECE) <= k; l += NAME(PIECE)) {
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) {
      NAME(Vector) turned[NAME(PIECE)];
      NAME(turn)(b + g * NAME(LANES) * b_pitch + l, b_pitch, turned);
#pragma clang loop unroll(full)
      for (size_t x = 0; x < NAME(PIECE); x++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++)
          sums[i][g] = __builtin_elementwise_fma(
              (NAME(Vector)){0} + a[i * a_pitch + l + x], turned[x], sums[i][g]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
    for (int g = 0; g < groups; g++) ((NAME(Vector) *)(c + i * c_pitch))[g] = sums[i][g];
  }
  for (; l < k; l++)
    for (int i = 0; i < rows; i++)
      for (size_t j = 0; j < groups * NAME(LANES); j++)
        c[i * c_pitch + j] = __builtin_elementwise_fma(
            a[i * a_pitch + l], (REAL)b[j * b_pitch + l], c[i * c_pitch + j]);
}

static void NAME(few_rows_turned)(
    size_t m, size_t n, size_t k, const REAL *a, size_t a_pitch, const STORED *b, size_t b_pitch,
    int is_sum, REAL *c, size_t c_pitch) {
  size_t j = 0;
  for (; j + GROUPS * NAME(LANES) <= n; j += GROUPS * NAME(LANES)) {
    switch (m) {
#define ROWS_OF(rows) \
  NAME(few_rows_of)(rows, GROUPS, k, a, a_pitch, b + j * b_pitch, b_pitch, is_sum, c + j, c_pitch)
    case 1: ROWS_OF(1); break;
    case 2: ROWS_OF(2); break;
    case 3: ROWS_OF(3); break;
    default: ROWS_OF(FEW_ROWS); break;
#undef ROWS_OF
    }
  }
  for (; j + NAME(LANES) <= n; j += NAME(LANES))
    for (size_t i = 0; i < m; i++)
      NAME(few_rows_of)(
          1, 1, k, a + i * a_pitch, a_pitch, b + j * b_pitch, b_pitch, is_sum, c + i * c_pitch + j,
          c_pitch);
  for (; j < n; j++) {
    for (size_t i = 0; i < m; i++) {
      REAL sum = is_sum ? c[i * c_pitch + j] : 0;
      for (size_t l = 0; l < k; l++)
        sum = __builtin_elementwise_fma(a[i * a_pitch + l], (REAL)b[j * b_pitch + l], sum);
      c[i * c_pitch + j] = sum;
    }
  }
}

static int NAME(product)(
    int a_transposed, int b_transposed, size_t m, size_t n, size_t k, const REAL *a,
    size_t a_pitch, const STORED *b, size_t b_pitch, int is_sum, REAL *c, size_t c_pitch) {
  if (m <= FEW_ROWS && !a_transposed) {
    (b_transposed ? NAME(few_rows_turned) : NAME(few_rows_as_they_lie))(
        m, n, k, a, a_pitch, b, b_pitch, is_sum, c, c_pitch);
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
  for (size_t column = 0; column < n; column += NAME(WIDTH)) {
    size_t width = n - column < NAME(WIDTH) ? n - column : NAME(WIDTH);
    for (size_t from = 0; from < k; from += NAME(DEPTH)) {
      size_t depth = k - from < NAME(DEPTH) ? k - from : NAME(DEPTH);
      int is_fresh = from == 0 && !is_sum;
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
            const REAL *from_a = packed_a + i * depth, *from_b = packed + j * depth;
            REAL *to = c + (row + i) * c_pitch + column + j;
            if (across == NAME(COLUMNS))
              NAME(tile)(down, depth, from_a, from_b, to, c_pitch, is_fresh);
            else
              NAME(part_of_tile)(down, across, depth, from_a, from_b, to, c_pitch, is_fresh);
          }
        }
      }
    }
  }
  free(packed);
  return 1;
}
