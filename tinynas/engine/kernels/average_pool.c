/* The mean of the taps inside the map, halves away from zero. */
TN_INLINE int8_t tn_mean_of_taps(int32_t sum, int32_t taps) {
  return (int8_t)((sum > 0 ? sum + taps / 2 : sum - taps / 2) / taps);
}

static void tn_average_pool_pixel(const void *layer, const tn_patch *p) {
  const tn_window *const w = (const tn_window *)layer;
  const int32_t rows = p->bottom - p->top, taps = p->right - p->left;
  const int8_t *at = p->at, *const end = at + w->channels;
  int8_t *out = p->out;
  int32_t y, x;
#if TN_PAIRS
  if (rows * taps <= 256) { /* sums of so many values fit into 16 bits: four channels at a time */
    for (; end - at >= 4; at += 4) {
      const int8_t *row = at;
      uint32_t even = 0, odd = 0;
      for (y = rows; y > 0; y--) {
        const int8_t *values = row;
        for (x = taps; x > 0; x--) {
          const uint32_t four = tn_word_at(values);
          even = tn_add_bytes_0_2(even, four);
          odd = tn_add_bytes_1_3(odd, four);
          values += p->column_step;
        }
        row = tn_next_row(p, row);
      }
      *out++ = tn_mean_of_taps((int16_t)even, rows * taps);
      *out++ = tn_mean_of_taps((int16_t)odd, rows * taps);
      *out++ = tn_mean_of_taps((int32_t)even >> 16, rows * taps);
      *out++ = tn_mean_of_taps((int32_t)odd >> 16, rows * taps);
    }
  }
#endif
  for (; at != end; at++) {
    const int8_t *row = at;
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

static void tn_average_pool(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide((const tn_window *)layer, layer, memory, first, end, tn_average_pool_pixel);
}
