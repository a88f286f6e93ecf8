/* Results brought within [low, high], where that is less than all of int8. */
TN_INLINE void tn_limit(int8_t *at, int32_t length, int8_t low, int8_t high) {
  if (low > -128 || high < 127) {
    for (; length > 0; length--) {
      *at = tn_clamp(*at, low, high);
      at++;
    }
  }
}
