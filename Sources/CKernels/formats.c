#include "formats.h"

static const Format FLOAT16 = {10, -14, 0x7BFF, 1, 1, 0x7E00, 15};
static const Format BFLOAT16 = {7, -126, 0x7F7F, 1, 1, 0x7FC0, 15};
static const Format E4M3FN = {3, -6, 0x7E, 0, 1, 0x7F, 7};
static const Format E5M2 = {2, -14, 0x7B, 1, 1, 0x7E, 7};
static const Format E4M3FNUZ = {3, -7, 0x7F, 0, 0, 0x80, 7};
static const Format E5M2FNUZ = {2, -15, 0x7F, 0, 0, 0x80, 7};
// These have no NaN: no code is above their largest one.
static const Format E2M3FN = {3, 0, 0x1F, 0, 1, 0, 5};
static const Format E3M2FN = {2, -2, 0x1F, 0, 1, 0, 5};
static const Format E2M1FN = {1, 0, 0x07, 0, 1, 0, 3};

const Format *ingot_format(ingot_type type) {
  switch (type) {
  case INGOT_FLOAT16: return &FLOAT16;
  case INGOT_BFLOAT16: return &BFLOAT16;
  case INGOT_FLOAT8_E4M3FN: return &E4M3FN;
  case INGOT_FLOAT8_E5M2: return &E5M2;
  case INGOT_FLOAT8_E4M3FNUZ: return &E4M3FNUZ;
  case INGOT_FLOAT8_E5M2FNUZ: return &E5M2FNUZ;
  case INGOT_FLOAT6_E2M3FN: return &E2M3FN;
  case INGOT_FLOAT6_E3M2FN: return &E3M2FN;
  case INGOT_FLOAT4_E2M1FN: return &E2M1FN;
  case INGOT_FLOAT64: case INGOT_FLOAT32: case INGOT_FLOAT8_E8M0FNU: case INGOT_INT8:
  case INGOT_INT16: case INGOT_INT32: case INGOT_INT64: case INGOT_UINT8: case INGOT_UINT16:
  case INGOT_UINT32: case INGOT_UINT64: case INGOT_BOOL:
    return NULL;
  }
  return NULL;
}

int ingot_bit_width(ingot_type type) {
  switch (type) {
  case INGOT_FLOAT64: case INGOT_INT64: case INGOT_UINT64: return 64;
  case INGOT_FLOAT32: case INGOT_INT32: case INGOT_UINT32: return 32;
  case INGOT_FLOAT16: case INGOT_BFLOAT16: case INGOT_INT16: case INGOT_UINT16: return 16;
  case INGOT_FLOAT8_E4M3FN: case INGOT_FLOAT8_E5M2: case INGOT_FLOAT8_E4M3FNUZ:
  case INGOT_FLOAT8_E5M2FNUZ: case INGOT_FLOAT8_E8M0FNU: case INGOT_INT8: case INGOT_UINT8:
  case INGOT_BOOL:
    return 8;
  case INGOT_FLOAT6_E2M3FN: case INGOT_FLOAT6_E3M2FN: return 6;
  case INGOT_FLOAT4_E2M1FN: return 4;
  }
  return 0;
}

int ingot_fits_float32(ingot_type type) {
  return type == INGOT_FLOAT32 || type == INGOT_FLOAT8_E8M0FNU || ingot_format(type) != NULL;
}

// 2^exponent for exponents of normal numbers.
static double power(int exponent) {
  uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float not_a_number(int negative) {
  uint32_t bits = negative ? 0xFFC00000 : 0x7FC00000;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float decode(uint32_t code, const Format *format) {
  uint32_t magnitude = code & ((1u << format->sign_shift) - 1);
  int negative = code >> format->sign_shift & 1;
  if (magnitude == 0) {
    if (negative && !format->has_negative_zero) return not_a_number(0);
    return negative ? -0.0f : 0.0f;
  }
  if (magnitude > format->max_code) {
    if (!format->has_infinity || magnitude > format->max_code + 1) return not_a_number(negative);
    return negative ? -__builtin_inff() : __builtin_inff();
  }
  uint32_t exponent = magnitude >> format->fraction;
  uint32_t fraction = magnitude & ((1u << format->fraction) - 1);
  if (exponent > 0) {
    fraction |= 1u << format->fraction;
    exponent -= 1;
  }
  double value = fraction * power((int)exponent + format->min_exponent - format->fraction);
  return (float)(negative ? -value : value);
}

void ingot_fill_table(Table *table, ingot_type type) {
  const Format *format = ingot_format(type);
  int width = ingot_bit_width(type);
  if (type == INGOT_FLOAT8_E8M0FNU)
    for (int code = 0; code < 256; code++)
      table->values[code] = code == 255 ? not_a_number(0) : (float)power(code - 127);
  else if (format != NULL && width <= 8)
    for (uint32_t code = 0; code < 1u << width; code++) table->values[code] = decode(code, format);
}

void ingot_decode32(
    float *target, const void *source, ingot_type type, const Table *table, size_t first,
    size_t count) {
  const uint8_t *bytes = source;
  switch (ingot_bit_width(type)) {
  case 32: memcpy(target, bytes + first * 4, count * 4); break;
  case 16:
    (type == INGOT_FLOAT16 ? ingot_loops()->widen_float16 : ingot_loops()->widen_bfloat16)(
        target, (const LooseUInt16 *)(bytes + first * 2), count);
    break;
  case 8:
    for (size_t i = 0; i < count; i++) target[i] = table->values[bytes[first + i]];
    break;
  case 6:
    for (size_t i = 0; i < count; i++) {
      size_t bit = (first + i) * 6;
      uint32_t window = bytes[bit / 8];
      if (bit % 8 > 2) window |= (uint32_t)bytes[bit / 8 + 1] << 8;
      target[i] = table->values[window >> bit % 8 & 0x3F];
    }
    break;
  case 4:
    for (size_t i = 0; i < count; i++)
      target[i] = table->values[bytes[(first + i) / 2] >> (first + i) % 2 * 4 & 0xF];
    break;
  default: break;
  }
}

// See `ingot_decode64`: eleven bits make any 64-bit magnitude one of 53 bits.
static double truncated(uint64_t magnitude, int negative) {
  if (magnitude >> 53 != 0)
    magnitude = (magnitude & ~(uint64_t)0x7FF) | ((magnitude & 0x7FF) != 0 ? 0x800 : 0);
  double value = (double)magnitude;
  return negative ? -value : value;
}

#define DECODE_INTEGERS(Integer)                                                                  \
  for (size_t i = 0; i < count; i++) {                                                            \
    Integer value;                                                                                \
    memcpy(&value, bytes + (first + i) * sizeof value, sizeof value);                             \
    target[i] = (double)value;                                                                    \
  }

void ingot_decode64(
    LooseDouble *target, const void *source, ingot_type type, const Table *table, size_t first,
    size_t count) {
  const uint8_t *bytes = source;
  switch (type) {
  case INGOT_FLOAT64: memcpy(target, bytes + first * 8, count * 8); break;
  case INGOT_INT8: DECODE_INTEGERS(int8_t) break;
  case INGOT_INT16: DECODE_INTEGERS(int16_t) break;
  case INGOT_INT32: DECODE_INTEGERS(int32_t) break;
  case INGOT_UINT8: DECODE_INTEGERS(uint8_t) break;
  case INGOT_UINT16: DECODE_INTEGERS(uint16_t) break;
  case INGOT_UINT32: DECODE_INTEGERS(uint32_t) break;
  case INGOT_INT64:
    for (size_t i = 0; i < count; i++) {
      int64_t value;
      memcpy(&value, bytes + (first + i) * 8, 8);
      target[i] = truncated(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
    }
    break;
  case INGOT_UINT64:
    for (size_t i = 0; i < count; i++) {
      uint64_t value;
      memcpy(&value, bytes + (first + i) * 8, 8);
      target[i] = truncated(value, 0);
    }
    break;
  case INGOT_BOOL:
    for (size_t i = 0; i < count; i++) target[i] = bytes[first + i] != 0;
    break;
  case INGOT_FLOAT32:
    ingot_loops()->widen_float32(target, (const LooseFloat *)(bytes + first * 4), count);
    break;
  case INGOT_FLOAT16: case INGOT_BFLOAT16: case INGOT_FLOAT8_E4M3FN: case INGOT_FLOAT8_E5M2:
  case INGOT_FLOAT8_E4M3FNUZ: case INGOT_FLOAT8_E5M2FNUZ: case INGOT_FLOAT8_E8M0FNU:
  case INGOT_FLOAT6_E2M3FN: case INGOT_FLOAT6_E3M2FN: case INGOT_FLOAT4_E2M1FN: {
    float block[BLOCK];
    for (size_t start = 0; start < count; start += BLOCK) {
      size_t length = count - start < BLOCK ? count - start : BLOCK;
      ingot_decode32(block, source, type, table, first + start, length);
      ingot_loops()->widen_float32(target + start, block, length);
    }
    break;
  }
  }
}

void ingot_to_float64(double *target, const void *source, ingot_type type, size_t count) {
  const uint8_t *bytes = source;
  size_t first = 0;
  if (type == INGOT_INT64) {
    DECODE_INTEGERS(int64_t)
  } else if (type == INGOT_UINT64) {
    DECODE_INTEGERS(uint64_t)
  } else {
    Table table;
    ingot_fill_table(&table, type);
    ingot_decode64(target, source, type, &table, 0, count);
  }
}
