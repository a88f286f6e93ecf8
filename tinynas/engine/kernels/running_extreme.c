/* The greatest (sign 1) or the least (sign -1). */
TN_LOCAL void tn_running_extreme(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_running_layer *const l = (const tn_running_layer *)layer;
  int8_t *const out = memory + l->out;
  uint16_t row, x, c;
  for (row = first; row < end; row++) {
    const int8_t *in = tn_running_row(l, memory, row);
    for (x = 0; x < l->width; x++) {
      for (c = 0; c < l->channels; c++) {
        const int8_t value = *in++;
        if ((row == 0 && x == 0) || (value > out[c]) == (l->sign > 0)) {
          out[c] = value;
        }
      }
    }
    for (c = 0; row + 1 == l->rows && c < l->channels; c++) {
      out[c] = tn_clamp(out[c], l->low, l->high);
    }
  }
}
