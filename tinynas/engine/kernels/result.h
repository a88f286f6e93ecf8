#if TN_PAIRS
/* A sum to a result: rounded twice its high product, shifted with halves away from zero, saturated. The shift less one
 * is in r12, the center shifted as far in lr. */
#define TN_RESULT(sum, multiplier)                   \
  "lsl    " sum ", " sum ", #1                   \n" \
  "smmulr " sum ", " sum ", " multiplier "       \n" \
  "add    " sum ", " sum ", " sum ", asr #31     \n" \
  "add    " sum ", " sum ", lr                   \n" \
  "asr    " sum ", " sum ", r12                  \n" \
  "ssat   " sum ", #8, " sum ", asr #1           \n"
#else
/* A sum to a result: times a factor below 1/2 whose right shift less one is `shift`, then the zero point: `center` is
 * twice it, plus one. */
TN_LOCAL int8_t tn_result(uint32_t sum, uint32_t multiplier, uint8_t shift, int32_t center) {
  const int32_t x = tn_high_product((int32_t)sum, (int32_t)multiplier);
  const int32_t y = (x - (x < 0) + center * ((int32_t)1 << shift)) >> shift >> 1;
  return (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
}
#endif
