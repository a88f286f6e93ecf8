/* Adds a row to the sums of the channels, which begin with `start`. */
TN_LOCAL int32_t *tn_running_sums(const tn_running_layer *l, int8_t *memory, uint16_t row) {
  const int8_t *in = tn_running_row(l, memory, row);
  int32_t *const sums = (int32_t *)(void *)(memory + l->sums);
  uint16_t x, c;
  for (c = 0; row == 0 && c < l->channels; c++) {
    sums[c] = l->start;
  }
  for (x = 0; x < l->width; x++) {
    for (c = 0; c < l->channels; c++) {
      sums[c] += *in++;
    }
  }
  return sums;
}
