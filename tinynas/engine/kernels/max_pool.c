TN_LOCAL void tn_max_pool_pixel(const void *layer, const tn_patch *p) {
  const tn_window *const w = (const tn_window *)layer;
  const int32_t rows = p->bottom - p->top, taps = p->right - p->left;
  const int8_t *at = p->at;
  int8_t *out = p->out;
  int32_t left = w->channels, y, x;
#if TN_PAIRS
  const uint8_t on = (left & 3) != 0 && tn_may_read_on(w, p);
  for (; left >= 4 || (on && left > 0); left -= 4) {
    const int8_t *row = at;
    uint32_t most = tn_word_at(at);
    for (y = rows; y > 0; y--) {
      const int8_t *values = row;
      for (x = taps; x > 0; x--) {
        most = tn_greater_bytes(most, tn_word_at(values));
        values += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    if (left >= 4) {
      tn_put_word(out, most);
    } else {
      for (x = 0; x < left; x++) {
        out[x] = (int8_t)most;
        most >>= 8;
      }
    }
    at += 4;
    out += 4;
  }
#endif
  for (; left > 0; left--) {
    const int8_t *row = at;
    int32_t most = *at++;
    for (y = rows; y > 0; y--) {
      const int8_t *value = row;
      for (x = taps; x > 0; x--) {
        most = *value > most ? *value : most;
        value += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    *out++ = (int8_t)most;
  }
  tn_limit(p->out, w->channels, w->low, w->high);
}

TN_LOCAL void tn_max_pool(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide((const tn_window *)layer, layer, memory, first, end, tn_max_pool_pixel);
}
