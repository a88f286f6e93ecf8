static int32_t tn_prelu_of(const tn_pair_layer *l, int32_t a, int32_t b) {
  const tn_factor *const factor = &l->factors[a >= 0 ? 0 : 1];
  return tn_requantize(a >= 0 ? a : a * b, factor->multiplier, factor->shift);
}

static void tn_prelu(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_prelu_of);
}
