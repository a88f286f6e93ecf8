/* A depthwise convolution from rows that are widened once: a ring of as many rows as a window spans, four channels by
 * four, each value as half a word. */
typedef struct {
  tn_window window;
  uint16_t columns;   /* outputs made at once: all of a row, or fewer where the kernel has one row */
  uint32_t scratch;   /* the ring, then a word a row of taps */
  const uint32_t *constants;
} tn_depthwise_rows_layer;

/* Columns x .. x + wide - 1 of a row of the map, four channels after four; zero points where the map has none. */
TN_LOCAL void tn_widen_columns(const tn_window *w, const int8_t *memory, int32_t y, int32_t x, int32_t wide, uint32_t *to) {
  const uint32_t outside = tn_pair_of(w->zero, w->zero);
  const int32_t times = w->out_channels / w->channels, channels = w->channels;
  const uint8_t inside = y >= 0 && y < (int32_t)w->height;
  const int32_t first = !inside ? wide : x < 0 ? -x : 0;
  const int32_t end = (int32_t)w->width - x < wide ? (int32_t)w->width - x : wide;
  const int8_t *const row = memory + w->in + (inside ? y % w->in_rows : 0) * ((int32_t)w->width * channels);
  int32_t c, column, k;
  for (c = 0; c < (int32_t)w->out_channels; c += 4) {
    const int8_t *from = row + (x + first) * channels;
    for (column = 0; column < first && column < wide; column++) {
      *to++ = outside;
      *to++ = outside;
    }
    if (times == 1 && c + 4 <= channels) {
      from += c;
      for (; column < end; column++) {
        const uint32_t word = tn_word_at(from);
        *to++ = tn_bytes_0_2(word);
        *to++ = tn_bytes_1_3(word);
        from += channels;
      }
    } else {
      int32_t of[4]; /* the input channels of the four; of those beyond the last, whose weights are 0, the last */
      for (k = 0; k < 4; k++) {
        of[k] = c + k < (int32_t)w->out_channels ? (c + k) / times : channels - 1;
      }
      for (; column < end; column++) {
        *to++ = tn_pair_of(from[of[0]], from[of[2]]);
        *to++ = tn_pair_of(from[of[1]], from[of[3]]);
        from += channels;
      }
    }
    for (; column < wide; column++) {
      *to++ = outside;
      *to++ = outside;
    }
  }
}

TN_LOCAL void tn_depthwise_rows(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_depthwise_rows_layer *const l = (const tn_depthwise_rows_layer *)layer;
  const tn_window *const w = &l->window;
  const int32_t reach = (int32_t)(w->kernel_h - 1) * w->dilation_h + 1;
  const int32_t wide = (int32_t)(l->columns - 1) * w->stride_w + (int32_t)(w->kernel_w - 1) * w->dilation_w + 1;
  const int32_t slot = (w->out_channels + 3) / 4 * wide * 8;
  int8_t *const ring = memory + l->scratch;
  uint32_t *const rows = (uint32_t *)(void *)(ring + reach * slot);
  const int32_t step = w->backwards ? -1 : 1;
  const uint8_t by_two = w->stride_w <= 2;
  int32_t row = w->backwards ? end - 1 : first, n, t;
  int32_t known = 0; /* rows that the ring holds already */
  tn_taps taps;
  taps.center = 2 * w->out_zero + 1;
  taps.rows = rows;
  taps.rows_end = rows + w->kernel_h;
  taps.tap_bytes = w->kernel_w > 1 ? 8 * w->dilation_w : 8;
  taps.row_bytes = w->kernel_w * taps.tap_bytes;
  taps.k = l->constants;
  taps.k_bytes = ((int32_t)w->kernel_h * w->kernel_w * (TN_WIDE_TAPS ? 2 : 1) + 9) * 4;
  taps.at = ring;
  taps.plane = wide * 8;
  taps.channels = w->out_channels;
  taps.second = by_two ? w->stride_w : 0;
  taps.advance = (by_two ? 16 : 8) * w->stride_w;
  taps.pitch = by_two ? w->out_pixel : 0;
  taps.out_advance = by_two ? 2 * w->out_pixel : w->out_pixel;
  for (n = first; n < (int32_t)end; n++, row += step) {
    const int32_t y = row * w->stride_h - w->pad_top;
    int8_t *const out = memory + w->out + row % w->out_rows * (int32_t)w->out_row;
    int32_t column = w->backwards ? (w->out_width - 1) / l->columns * l->columns : 0;
    for (t = 0; t < (int32_t)w->kernel_h; t++) {
      rows[t] = (uint32_t)((row * w->stride_h + t * w->dilation_h) % reach * slot);
    }
    for (; column >= 0 && column < (int32_t)w->out_width; column += step * l->columns) {
      const int32_t left = w->out_width - column, columns = left < (int32_t)l->columns ? left : l->columns;
      for (t = known; t < reach; t++) {
        const int32_t tap = w->backwards ? reach - 1 - t : t;
        tn_widen_columns(w, memory, y + tap, column * w->stride_w - w->pad_left, wide,
                         (uint32_t *)(void *)(ring + (row * w->stride_h + tap) % reach * slot));
      }
      taps.out = out + column * w->out_pixel;
      taps.twos = by_two ? (columns + 1) / 2 : columns;
      taps.odd = by_two ? columns & 1 : 0;
      tn_two_by_two(&taps);
    }
    known = reach > (int32_t)w->stride_h ? reach - w->stride_h : 0;
  }
  tn_limit_rows(w, memory, first, end);
}
