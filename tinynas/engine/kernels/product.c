static int32_t tn_product_of(const tn_pair_layer *l, int32_t a, int32_t b) {
  return tn_requantize(a * b, l->factors[0].multiplier, l->factors[0].shift);
}

static void tn_product(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_product_of);
}
