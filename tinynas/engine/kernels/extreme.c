/* MAXIMUM (sign 1) and MINIMUM (sign -1). */
static int32_t tn_extreme_of(const tn_pair_layer *l, int32_t a, int32_t b) {
  return (a > b) == (l->sign > 0) ? a : b;
}

static void tn_extreme(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_extreme_of);
}
