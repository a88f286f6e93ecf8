TN_LOCAL void tn_prelus(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out) {
  const tn_operand *const one = &l->operands[0], *const two = &l->operands[1];
  int32_t i;
  for (i = l->inner; i > 0; i--) {
    const int32_t x = (int32_t)*a - one->zero;
    const tn_factor *const factor = &l->factors[x >= 0 ? 0 : 1];
    const int32_t product = x >= 0 ? x : x * ((int32_t)*b - two->zero);
    *out++ = tn_clamp(tn_requantize(product, factor->multiplier, factor->shift) + l->out_zero, l->low, l->high);
    a += one->step;
    b += two->step;
  }
}

TN_LOCAL void tn_prelu(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_prelus);
}
