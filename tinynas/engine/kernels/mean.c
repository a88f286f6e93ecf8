TN_LOCAL int32_t tn_mean_of(const tn_reduce_layer *l, const int8_t *in) {
  int32_t sum = l->correction;
  uint16_t i, j;
  for (i = 0; i < l->reduced_sizes[0]; i++) {
    const int8_t *value = in;
    for (j = 0; j < l->reduced_sizes[1]; j++) {
      sum += *value;
      value += l->reduced_steps[1];
    }
    in += l->reduced_steps[0];
  }
  return tn_requantize(sum, l->factor.multiplier, l->factor.shift) + l->out_zero;
}

TN_LOCAL void tn_mean(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  (void)first;
  (void)end;
  tn_each_kept((const tn_reduce_layer *)layer, memory, tn_mean_of);
}
