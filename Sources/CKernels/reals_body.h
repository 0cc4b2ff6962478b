// The loops of one level over one type: included once per level and type, with REAL the type, BITS the
// unsigned and SIGNED the signed integers of its size, NAME making names, and the constants of its
// exponential and error functions.
//
// Every loop is written so that the compiler makes it vectors of whatever width the level has. Sums
// are kept in a fixed number of lanes and products are never fused with sums, so that the bits do not
// depend on the level.
#pragma STDC FP_CONTRACT OFF

enum { NAME(LANES) = 16 };

static inline REAL NAME(total)(const REAL lanes[NAME(LANES)]) {
  REAL sum = 0;
  for (int i = 0; i < NAME(LANES) / 2; i++) sum += lanes[i] + lanes[i + NAME(LANES) / 2];
  return sum;
}

// e^x: x = k·ln 2 + r with |r| ≤ ln 2 / 2, Taylor's series of e^r, and k added to the exponent.
// Below the smallest normal number it is 0; NaN stays.
static inline REAL NAME(exponential)(REAL x) {
  REAL clamped = x < EXP_LEAST ? EXP_LEAST : x > EXP_MOST ? EXP_MOST : x;
  // Adding a number whose last bit is worth 1 rounds to an integer, which lies in the last bits.
  REAL shifted = clamped * (REAL)0x1.71547652b82fep+0 + EXP_ROUND;
  BITS bits;
  memcpy(&bits, &shifted, sizeof bits);
  REAL k = shifted - EXP_ROUND;
  REAL r = clamped - k * EXP_LN2_HIGH - k * EXP_LN2_LOW;
  REAL sum = exp_series[EXP_TERMS - 1];
  for (int i = EXP_TERMS - 2; i >= 0; i--) sum = sum * r + exp_series[i];
  // Half of the exponent at a time: 2^k itself may be infinite where the result is not.
  SIGNED whole = (SIGNED)(bits << EXP_SPARE) >> EXP_SPARE;
  SIGNED half = whole >> 1;
  BITS one = (BITS)(half + EXP_BIAS) << EXP_FRACTION;
  BITS other = (BITS)(whole - half + EXP_BIAS) << EXP_FRACTION;
  REAL low, high;
  memcpy(&low, &one, sizeof low);
  memcpy(&high, &other, sizeof high);
  REAL result = sum * low * high;
  return x < EXP_LEAST ? 0 : result;
}

// e^(2|x|) − 1 = 2^k·(e^r − 1) + (2^k − 1), and tanh |x| is that divided by itself plus 2. Above TANH_MOST / 2 it is 1.
static inline REAL NAME(hyperbolic_tangent)(REAL x) {
  REAL twice = x < 0 ? -2 * x : 2 * x;
  twice = twice > TANH_MOST ? TANH_MOST : twice;
  REAL shifted = twice * (REAL)0x1.71547652b82fep+0 + EXP_ROUND;
  BITS bits;
  memcpy(&bits, &shifted, sizeof bits);
  REAL k = shifted - EXP_ROUND;
  REAL r = twice - k * EXP_LN2_HIGH - k * EXP_LN2_LOW;
  REAL sum = exp_series[EXP_TERMS - 1];
  for (int i = EXP_TERMS - 2; i >= 1; i--) sum = sum * r + exp_series[i];
  SIGNED whole = (SIGNED)(bits << EXP_SPARE) >> EXP_SPARE;
  BITS power = (BITS)(whole + EXP_BIAS) << EXP_FRACTION;
  REAL scale;
  memcpy(&scale, &power, sizeof scale);
  REAL less = scale * (sum * r) + (scale - 1);
  REAL result = less / (less + 2);
  return x < 0 ? -result : x > 0 ? result : x;
}

static REAL NAME(sum)(const REAL *x, size_t count) {
  REAL sums[NAME(LANES)] = {0};
  size_t i = 0;
  for (; i + NAME(LANES) <= count; i += NAME(LANES))
    for (int l = 0; l < NAME(LANES); l++) sums[l] += x[i + l];
  for (int l = 0; i < count; i++, l++) sums[l] += x[i];
  return NAME(total)(sums);
}

static void NAME(softmax)(REAL *x, size_t count, REAL scale) {
  REAL most[NAME(LANES)];
  for (int l = 0; l < NAME(LANES); l++) most[l] = -INFINITY;
  size_t i = 0;
  for (; i + NAME(LANES) <= count; i += NAME(LANES))
    for (int l = 0; l < NAME(LANES); l++) most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
  REAL largest = -INFINITY;
  for (; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  for (int l = 0; l < NAME(LANES); l++) largest = most[l] > largest ? most[l] : largest;
  if (largest == -INFINITY) {
    // Nothing to see, or only NaN, which stays.
    for (i = 0; i < count; i++) x[i] = x[i] != x[i] ? x[i] : 0;
    return;
  }
  for (i = 0; i < count; i++) x[i] = NAME(exponential)((x[i] - largest) * scale);
  REAL factor = 1 / NAME(sum)(x, count);
  for (i = 0; i < count; i++) x[i] *= factor;
}

// x·Φ(x) by erfc(z) = e^(−z²)·u·P(u), u = K / (K + z), fitted by Chebyshev's polynomials.
static inline REAL NAME(gelu)(REAL x) {
  REAL magnitude = x < 0 ? -x : x;
  REAL z = magnitude * (REAL)0x1.6a09e667f3bcdp-1;
  z = z > ERFC_MOST ? ERFC_MOST : z;
  REAL u = ERFC_K / (ERFC_K + z);
  REAL s = u * ERFC_SLOPE - ERFC_OFFSET;
  REAL sum = erfc_series[ERFC_TERMS - 1];
  for (int i = ERFC_TERMS - 2; i >= 0; i--) sum = sum * s + erfc_series[i];
  REAL half = sum * u * NAME(exponential)(x * x * (REAL)-0.5) * (REAL)0.5;
  // The tail of −∞ is 0, not ∞ · 0.
  REAL tail = half == 0 ? 0 : x * half;
  return x < 0 ? tail : x * (1 - half);
}

static void NAME(activate)(REAL *x, size_t count, ingot_activation function) {
  switch (function) {
  case INGOT_RELU:
    for (size_t i = 0; i < count; i++) x[i] = x[i] < 0 ? 0 : x[i];
    break;
  case INGOT_GELU:
    for (size_t i = 0; i < count; i++) x[i] = NAME(gelu)(x[i]);
    break;
  case INGOT_GELU_TANH:
    // 0.5·x·(1 + tanh(u)) = x / (1 + e^(−2u)).
    for (size_t i = 0; i < count; i++) {
      REAL v = x[i];
      REAL u = (REAL)-0x1.9884533d43651p+0 * (v + (REAL)0.044715 * v * v * v);
      x[i] = v / (1 + NAME(exponential)(u));
    }
    break;
  case INGOT_GELU_SIGMOID:
    for (size_t i = 0; i < count; i++)
      x[i] = x[i] / (1 + NAME(exponential)((REAL)-1.702 * x[i]));
    break;
  case INGOT_SILU:
    for (size_t i = 0; i < count; i++) x[i] = x[i] / (1 + NAME(exponential)(-x[i]));
    break;
  case INGOT_TANH:
    for (size_t i = 0; i < count; i++) x[i] = NAME(hyperbolic_tangent)(x[i]);
    break;
  }
}

static void NAME(soft_cap)(REAL *x, size_t count, REAL cap) {
  for (size_t i = 0; i < count; i++) x[i] = cap * NAME(hyperbolic_tangent)(x[i] / cap);
}

static REAL NAME(squares)(const REAL *x, size_t count, REAL mean) {
  REAL sums[NAME(LANES)] = {0};
  size_t i = 0;
  for (; i + NAME(LANES) <= count; i += NAME(LANES)) {
    for (int l = 0; l < NAME(LANES); l++) {
      REAL distance = x[i + l] - mean;
      sums[l] += distance * distance;
    }
  }
  for (int l = 0; i < count; i++, l++) sums[l] += (x[i] - mean) * (x[i] - mean);
  return NAME(total)(sums);
}

static void NAME(normalize)(
    REAL *x, size_t rows, size_t width, ingot_norm kind, REAL epsilon, const REAL *scale,
    const REAL *shift) {
  REAL count = (REAL)width;
  for (; rows > 0; rows--, x += width) {
    REAL mean = kind == INGOT_RMS_NORM ? 0 : NAME(sum)(x, width) / count;
    REAL squares = NAME(squares)(x, width, mean);
    REAL factor = kind == INGOT_BESSEL_NORM
        ? 1 / (SQRT(squares / (count - 1)) + epsilon)
        : 1 / SQRT(squares / count + epsilon);
    for (size_t i = 0; i < width; i++) x[i] = (x[i] - mean) * factor * scale[i] + shift[i];
  }
}

static void NAME(add)(REAL *x, const REAL *y, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] += y[i];
}

static void NAME(multiply)(REAL *x, const REAL *y, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= y[i];
}

static void NAME(scale)(REAL *x, REAL factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}
