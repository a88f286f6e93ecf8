/* A convolution by blocks of four pixels and two channels.
 *
 * Constants are one stream of words. For each two channels: their biases (the input's zero point folded in), the words
 * of two weights each (c0 k0, c1 k0, c0 k1, c1 k1 from the lowest byte on, k in the order of the widened windows), their
 * multipliers, and a word of their right shifts less one, a byte each. */
typedef struct {
  tn_widening widening;
  uint8_t wide; /* a weight has 16 bits: a word of c0 k0, c0 k1, then one of c1 k0, c1 k1 */
  const uint32_t *constants;
} tn_blocked_layer;

TN_LOCAL void tn_block_channels(const tn_blocked_layer *l, tn_block *block, const uint32_t *end) {
#ifdef TN_WIDE_CHANNELS
  if (l->wide) {
    tn_wide_channels(block, end);
    return;
  }
#endif
  (void)l;
  tn_channels(block, end);
}

/* Where a pixel's window and its results are. */
typedef struct {
  int32_t row, column;
  int32_t y, x;
  const int8_t *from;
  int8_t *out;
  uint8_t inside; /* as far as its rows go */
} tn_place;

TN_LOCAL void tn_place_row(const tn_widening *l, int8_t *memory, tn_place *place) {
  const tn_window *const w = &l->window;
  const int32_t last = (w->kernel_h - 1) * w->dilation_h;
  place->column = w->backwards ? w->out_width - 1 : 0;
  place->y = place->row * w->stride_h - w->pad_top;
  place->x = place->column * w->stride_w - w->pad_left;
  place->from = memory + w->in + (place->y * (int32_t)w->width + place->x) * w->channels;
  place->out = memory + w->out + place->row % w->out_rows * (int32_t)w->out_row + place->column * w->out_pixel;
  place->inside = l->simple && place->y >= 0 && place->y + last < (int32_t)w->in_rows && w->kernel_w <= w->width;
}

TN_LOCAL void tn_blocked(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_blocked_layer *const l = (const tn_blocked_layer *)layer;
  const tn_widening *const widening = &l->widening;
  const tn_window *const w = &widening->window;
  const int32_t group_words = (int32_t)widening->words * TN_BLOCK;
  const int32_t step = w->backwards ? -1 : 1, row_step = (int32_t)w->width * w->channels * w->dilation_h;
  uint32_t *const scratch = (uint32_t *)(void *)(memory + widening->scratch);
  int8_t *const spare = (int8_t *)(scratch + widening->groups * group_words);
  const int32_t per_group = w->out_channels / widening->groups;
  int32_t left = (int32_t)(end - first) * w->out_width;
  int8_t *out[TN_BLOCK];
  tn_place place;
  tn_block block;
  block.center = 2 * w->out_zero + 1;
  place.row = w->backwards ? end - 1 : first;
  tn_place_row(widening, memory, &place);
  while (left > 0) {
    int32_t q, group;
    for (q = 0; q < TN_BLOCK; q++) {
      uint32_t *to = scratch + q;
      block.out[q] = out[q] = place.out;
      if (place.inside && (uint32_t)place.x <= (uint32_t)w->width - w->kernel_w) {
        const int8_t *from = place.from;
        int32_t rows = w->kernel_h;
        do {
          to = tn_widen(to, from, widening->run, widening->quads);
          from += row_step;
        } while (--rows > 0);
      } else {
        tn_widen_any_window(widening, memory + w->in, place.y, place.x, to, spare);
      }
      if (left > 1) {
        left--;
        place.column += step;
        place.x += step * w->stride_w;
        place.from += step * w->stride_w * w->channels;
        place.out += step * w->out_pixel;
        if (place.column < 0 || place.column == (int32_t)w->out_width) {
          place.row += step;
          tn_place_row(widening, memory, &place);
        }
      } else { /* the last pixel fills the block up */
        left = 0;
      }
    }
    block.k = l->constants;
    block.x = scratch;
    block.channels = per_group;
    tn_block_channels(l, &block, scratch + group_words);
    for (group = 1; group < (int32_t)widening->groups; group++) {
      for (q = 0; q < TN_BLOCK; q++) {
        block.out[q] = out[q] + group * per_group;
      }
      block.x += group_words;
      block.channels = per_group;
      tn_block_channels(l, &block, block.x + group_words);
    }
  }
  tn_limit_rows(w, memory, first, end);
}
