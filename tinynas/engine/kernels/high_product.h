/* x * multiplier / 2^31, halves up; where there is no long multiplication, of products of 16 bits. */
#if !defined(TN_SHORT_PRODUCTS) && (defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__))
#define TN_SHORT_PRODUCTS
#endif
#ifdef TN_SHORT_PRODUCTS
TN_INLINE int32_t tn_high_product(int32_t x, int32_t multiplier) {
  const int32_t x_high = x >> 16, high = multiplier >> 16;
  const uint32_t x_low = (uint32_t)x & 0xFFFFu, low = (uint32_t)multiplier & 0xFFFFu;
  const int32_t one = x_high * (int32_t)low, two = (int32_t)x_low * high + (int32_t)(x_low * low >> 16) + 0x4000;
  const int32_t rest = (one & 0x7FFF) + (two & 0x7FFF);
  return x_high * high * 2 + (one >> 15) + (two >> 15) + (rest >> 15);
}
#else
TN_INLINE int32_t tn_high_product(int32_t x, int32_t multiplier) {
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 30)) >> 31);
}
#endif
