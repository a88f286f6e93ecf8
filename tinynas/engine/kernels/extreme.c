/* MAXIMUM (sign 1) and MINIMUM (sign -1). */
TN_LOCAL void tn_extremes(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out) {
  const uint8_t a_step = l->operands[0].step, b_step = l->operands[1].step, greatest = l->sign > 0;
  int32_t left = l->inner;
#if TN_PAIRS
  for (; left >= 4 && a_step == 1 && b_step == 1; left -= 4) {
    const uint32_t x = tn_word_at(a), y = tn_word_at(b), most = tn_greater_bytes(x, y);
    tn_put_word(out, greatest ? most : x ^ y ^ most);
    a += 4;
    b += 4;
    out += 4;
  }
#endif
  for (; left > 0; left--) {
    *out++ = (*a > *b) == greatest ? *a : *b;
    a += a_step;
    b += b_step;
  }
}

TN_LOCAL void tn_extreme(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_extremes);
}
