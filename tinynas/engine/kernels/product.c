TN_LOCAL void tn_products(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out) {
  const tn_operand *const one = &l->operands[0], *const two = &l->operands[1];
  int32_t i;
  for (i = l->inner; i > 0; i--) {
    const int32_t product = ((int32_t)*a - one->zero) * ((int32_t)*b - two->zero);
    *out++ = tn_clamp(tn_requantize(product, l->factors[0].multiplier, l->factors[0].shift) + l->out_zero, l->low, l->high);
    a += one->step;
    b += two->step;
  }
}

TN_LOCAL void tn_product(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_products);
}
