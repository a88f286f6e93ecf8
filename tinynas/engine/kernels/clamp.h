TN_LOCAL int8_t tn_clamp(int32_t x, int8_t low, int8_t high) {
  return (int8_t)(x < low ? low : x > high ? high : x);
}
