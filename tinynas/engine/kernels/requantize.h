/* x times a factor: halves of the shift away from zero. */
static int32_t tn_requantize(int32_t x, int32_t multiplier, int8_t shift) {
#if TN_SINGLE_ROUNDING
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << (30 - shift))) >> (31 - shift));
#else
#if TN_LEFT_SHIFTS
  if (shift >= 0) {
    return tn_high_product((int32_t)((uint32_t)x << shift), multiplier);
  }
#endif
  x = tn_high_product(x, multiplier);
#if TN_WIDE_SUMS
  return (int32_t)(((int64_t)x + ((int64_t)1 << (-shift - 1)) - (x < 0)) >> -shift);
#else
  return (x + ((int32_t)1 << (-shift - 1)) - (x < 0)) >> -shift;
#endif
#endif
}
