/* REDUCE_MAX (sign 1) and REDUCE_MIN (sign -1). */
TN_LOCAL int32_t tn_reduce_extreme_of(const tn_reduce_layer *l, const int8_t *in) {
  int32_t most = *in;
  uint16_t i, j;
  for (i = 0; i < l->reduced_sizes[0]; i++) {
    const int8_t *value = in;
    for (j = 0; j < l->reduced_sizes[1]; j++) {
      most = (*value > most) == (l->sign > 0) ? *value : most;
      value += l->reduced_steps[1];
    }
    in += l->reduced_steps[0];
  }
  return most;
}

TN_LOCAL void tn_reduce_extreme(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  (void)first;
  (void)end;
  tn_each_kept((const tn_reduce_layer *)layer, memory, tn_reduce_extreme_of);
}
