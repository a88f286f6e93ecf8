TN_LOCAL void tn_running_mean(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_running_layer *const l = (const tn_running_layer *)layer;
  uint16_t row, c;
  for (row = first; row < end; row++) {
    const int32_t *const sums = tn_running_sums(l, memory, row);
    for (c = 0; row + 1 == l->rows && c < l->channels; c++) {
      memory[l->out + c] = tn_clamp(tn_requantize(sums[c], l->factor.multiplier, l->factor.shift) + l->out_zero,
                                    l->low, l->high);
    }
  }
}
