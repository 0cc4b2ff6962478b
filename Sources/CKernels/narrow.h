// Rounds REAL (with FRACTION bits of fraction and BIAS) to codes of a smaller float type, as function
// NARROW with codes of type CODE; included once per pair of types.
//
// Adding the power of two whose last bit weighs as much as the target's last bit rounds correctly,
// because the processor's addition does. The last bits of the sum are then the target's fraction, and
// a carry out of them is one in the code as well. `largest` is the largest relative error so far.
static Findings NARROW(
    CODE *target, const LOOSE_REAL *source, size_t count, const Format *format, REAL largest) {
  const BITS sign_bit = (BITS)1 << (sizeof(BITS) * 8 - 1);
  const BITS fraction_mask = ((BITS)1 << FRACTION) - 1;
  const int fraction = format->fraction, sign_shift = format->sign_shift;
  const BITS max_code = format->max_code;
  const BITS first_exponent = (BITS)(format->min_exponent + BIAS);
  const BITS rounding_exponent = (BITS)(FRACTION - fraction);
  const BITS zero_has_sign = format->has_negative_zero ? 1 : 0;
  // Twice the power of two below the largest number: its code is beyond `max_code`.
  const REAL beyond = REAL_OF(((max_code >> fraction) + first_exponent) << FRACTION);
  BITS special = 0, worse = 0, underflowed = 0, inexact = 0;
  for (size_t i = 0; i < count; i++) {
    BITS bits = BITS_OF(source[i]);
    REAL magnitude = REAL_OF(bits & ~sign_bit);
    // NaN compares false and goes beyond as well.
    REAL limited = magnitude < beyond ? magnitude : beyond;
    BITS exponent = BITS_OF(limited) >> FRACTION;
    exponent = exponent > first_exponent ? exponent : first_exponent;
    REAL rounder = REAL_OF((exponent + rounding_exponent) << FRACTION);
    REAL sum = limited + rounder;
    BITS code = (BITS_OF(sum) & fraction_mask) + ((exponent - first_exponent) << fraction);
    REAL error = REAL_OF(BITS_OF((sum - rounder) - magnitude) & ~sign_bit);
    BITS is_zero = code == 0;
    special |= code > max_code;
    worse |= (error > largest * magnitude) & !is_zero;
    underflowed += is_zero & (magnitude != 0);
    inexact += error != 0;
    BITS sign = bits >> (sizeof(BITS) * 8 - 1) & (!is_zero | zero_has_sign);
    target[i] = (CODE)(code | sign << sign_shift);
  }
  return (Findings){
      .special = special != 0, .worse = worse != 0, .underflowed = (uint32_t)underflowed,
      .inexact = (uint32_t)inexact};
}
