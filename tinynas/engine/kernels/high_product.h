/* x * multiplier / 2^31, halves up. */
static int32_t tn_high_product(int32_t x, int32_t multiplier) {
  return (int32_t)(((int64_t)x * multiplier + ((int64_t)1 << 30)) >> 31);
}
