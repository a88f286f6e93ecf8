/* x times a factor: the high product, then halves of the shift away from zero. */
TN_LOCAL int32_t tn_requantize(int32_t x, int32_t multiplier, int8_t shift) {
#if TN_SINGLE_ROUNDING
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << (30 - shift))) >> (31 - shift));
#else
#if TN_LEFT_SHIFTS
  if (shift >= 0) {
    return tn_high_product((int32_t)((uint32_t)x << shift), multiplier);
  }
#endif
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !TN_WIDE_SUMS
  __asm__("smmulr %0, %1, %2" : "=r"(x) : "r"((uint32_t)x << 1), "r"(multiplier));
#else
  x = tn_high_product(x, multiplier);
#endif
  return (((x - (x < 0)) >> (-shift - 1)) + 1) >> 1;
#endif
}
