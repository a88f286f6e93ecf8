/* ADD and SUB: both operands in a common scale, 20 bits finer. */
static int32_t tn_sum_of(const tn_pair_layer *l, int32_t a, int32_t b) {
  const int32_t fine = (int32_t)1 << 20;
  a = tn_requantize(a * fine, l->factors[0].multiplier, l->factors[0].shift);
  b = tn_requantize(b * fine, l->factors[1].multiplier, l->factors[1].shift);
  return tn_requantize(a + b * l->sign, l->factors[2].multiplier, l->factors[2].shift);
}

static void tn_sum(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_sum_of);
}
