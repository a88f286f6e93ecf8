/* The mean of the taps inside the map, halves away from zero. */
TN_INLINE int8_t tn_mean_of_taps(int32_t sum, int32_t taps) {
  return (int8_t)((sum > 0 ? sum + taps / 2 : sum - taps / 2) / taps);
}

TN_LOCAL void tn_average_pool_pixel(const void *layer, const tn_patch *p) {
  const tn_window *const w = (const tn_window *)layer;
  const int32_t rows = p->bottom - p->top, taps = p->right - p->left;
  const int8_t *at = p->at;
  int8_t *out = p->out;
  int32_t left = w->channels, y, x;
#if TN_PAIRS
  const uint8_t on = (left & 3) != 0 && tn_may_read_on(w, p);
  for (; rows * taps <= 256 && (left >= 4 || (on && left > 0)); left -= 4) { /* sums of 256 values have 16 bits */
    const int8_t *row = at;
    uint32_t even = 0, odd = 0;
    for (y = rows; y > 0; y--) {
      const int8_t *values = row;
      for (x = taps; x > 0; x--) {
        const uint32_t word = tn_word_at(values);
        even = tn_add_bytes_0_2(even, word);
        odd = tn_add_bytes_1_3(odd, word);
        values += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    out[0] = tn_mean_of_taps((int16_t)even, rows * taps);
    if (left > 1) {
      out[1] = tn_mean_of_taps((int16_t)odd, rows * taps);
    }
    if (left > 2) {
      out[2] = tn_mean_of_taps((int32_t)even >> 16, rows * taps);
    }
    if (left > 3) {
      out[3] = tn_mean_of_taps((int32_t)odd >> 16, rows * taps);
    }
    at += 4;
    out += 4;
  }
#endif
  for (; left > 0; left--) {
    const int8_t *row = at++;
    int32_t sum = 0;
    for (y = rows; y > 0; y--) {
      const int8_t *value = row;
      for (x = taps; x > 0; x--) {
        sum += *value;
        value += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    *out++ = tn_mean_of_taps(sum, rows * taps);
  }
  tn_limit(p->out, w->channels, w->low, w->high);
}

TN_LOCAL void tn_average_pool(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide((const tn_window *)layer, layer, memory, first, end, tn_average_pool_pixel);
}
