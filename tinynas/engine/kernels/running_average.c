/* Halves away from zero. */
TN_LOCAL void tn_running_average(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_running_layer *const l = (const tn_running_layer *)layer;
  uint16_t row, c;
  for (row = first; row < end; row++) {
    const int32_t *const sums = tn_running_sums(l, memory, row);
    for (c = 0; row + 1 == l->rows && c < l->channels; c++) {
      const int32_t half = sums[c] > 0 ? l->count / 2 : -(l->count / 2);
      memory[l->out + c] = tn_clamp((sums[c] + half) / l->count, l->low, l->high);
    }
  }
}
