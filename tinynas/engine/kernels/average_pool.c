/* The mean of the taps inside the map, halves away from zero. */
static void tn_average_pool_pixel(const void *layer, const tn_patch *p) {
  const tn_window *const w = (const tn_window *)layer;
  const int32_t taps = (int32_t)(p->bottom - p->top) * (p->right - p->left);
  uint16_t c, y, x;
  for (c = 0; c < w->channels; c++) {
    const int8_t *row = p->at + c;
    int32_t sum = 0;
    for (y = p->top; y < p->bottom; y++) {
      const int8_t *value = row;
      for (x = p->left; x < p->right; x++) {
        sum += *value;
        value += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    p->out[c] = tn_clamp((sum > 0 ? sum + taps / 2 : sum - taps / 2) / taps, w->low, w->high);
  }
}

static void tn_average_pool(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide((const tn_window *)layer, layer, memory, first, end, tn_average_pool_pixel);
}
