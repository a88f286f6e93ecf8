static void tn_max_pool_pixel(const void *layer, const tn_patch *p) {
  const tn_window *const w = (const tn_window *)layer;
  uint16_t c, y, x;
  for (c = 0; c < w->channels; c++) {
    const int8_t *row = p->at + c;
    int8_t most = -128;
    for (y = p->top; y < p->bottom; y++) {
      const int8_t *value = row;
      for (x = p->left; x < p->right; x++) {
        most = *value > most ? *value : most;
        value += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    p->out[c] = tn_clamp(most, w->low, w->high);
  }
}

static void tn_max_pool(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide((const tn_window *)layer, layer, memory, first, end, tn_max_pool_pixel);
}
