/* Filters four at a time, then one at a time; of each the kernel_h rows of taps, in `runs` stretches of `run` values.
 * The bias has the input's zero point folded in, as if every tap lay inside the map: one outside counts as that. */
typedef struct {
  tn_window window;
  uint16_t groups;
  uint16_t run;
  uint16_t runs;
  uint8_t joined;       /* the stretches of a row of taps are one, in the map and in the weights */
  uint8_t tall;         /* so are all rows of taps: the map is one column, unless its ring ends within the window */
  uint8_t gathered;     /* at the border the window, of at most TN_GATHERED values, is put together first */
  uint8_t scaling_step; /* 0: one multiplier for all channels */
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multipliers;
} tn_convolution_layer;

#define TN_GATHERED 160

/* Copies a window that is partly outside the map, the zero point there, and lets `p` say that it is a map. */
TN_APART void tn_gather_window(const tn_window *w, tn_patch *p, int8_t *to) {
  const int32_t row = (int32_t)w->kernel_w * w->channels;
  const int32_t first = (int32_t)p->left * w->channels, end = (int32_t)p->right * w->channels;
  const int8_t *from = p->at;
  int8_t *next = to;
  int32_t y, i;
  for (y = 0; y < w->kernel_h; y++) {
    const uint8_t inside = y >= p->top && y < p->bottom;
    const int32_t copied = inside ? end - first : 0;
    for (i = inside ? first : row; i > 0; i--) {
      *next++ = w->zero;
    }
    for (i = 0; i < copied; i++) {
      *next++ = from[i];
    }
    for (i = inside ? row - end : 0; i > 0; i--) {
      *next++ = w->zero;
    }
    from = inside ? tn_next_row(p, from) : from;
  }
  p->at = to;
  p->ring_end = next + 1;
  p->row_step = row;
}

TN_LOCAL void tn_convolution_pixel(const void *layer, const tn_patch *patch) {
  const tn_convolution_layer *const l = (const tn_convolution_layer *)layer;
  const tn_window *const w = &l->window;
  const uint16_t in_group = (uint16_t)(w->out_channels / l->groups);
  const int32_t row = (int32_t)l->run * l->runs, rows = l->tall ? 1 : w->kernel_h;
  const uint8_t step = l->scaling_step;
  const int8_t *x, *weights = l->weights;
  const int32_t *bias = l->bias, *multipliers = l->multipliers;
  int8_t *const out = patch->out;
  int8_t window[TN_GATHERED];
  tn_patch p = *patch;
  uint8_t whole = p.left == 0 && p.right == w->kernel_w && p.top == 0 && p.bottom == w->kernel_h;
  int32_t c = 0, end;
  if ((!whole && l->gathered) || (l->tall && p.at + row > p.ring_end)) {
    tn_gather_window(w, &p, window);
    whole = 1;
  }
  whole = whole && l->joined;
  x = p.at;
  for (end = in_group; end <= w->out_channels; end += in_group) {
    for (; end - c >= 4; c += 4) {
      uint32_t sums[4];
      sums[0] = tn_bias(bias);
      sums[1] = tn_bias(bias + TN_BIAS_WORDS);
      sums[2] = tn_bias(bias + 2 * TN_BIAS_WORDS);
      sums[3] = tn_bias(bias + 3 * TN_BIAS_WORDS);
      if (whole) {
        const int8_t *values = x, *at = weights;
        int32_t y;
        for (y = rows; y > 0; y--) {
          tn_quads(values, 4, at, row, sums);
          values = tn_next_row(&p, values);
          at += 4 * row;
        }
      }
#if defined(TN_STRETCHES)
      if (!whole) {
        tn_all_taps(w, &p, x, weights, l->run, l->runs, 4, sums);
      }
#endif
      tn_scale(w, bias, multipliers, step, sums, 4, out + c);
      multipliers += 4 * step;
      bias += 4 * TN_BIAS_WORDS;
      weights += 4 * row * rows;
    }
    for (; c < end; c++) {
      uint32_t sum = tn_bias(bias);
      if (whole) {
        const int8_t *values = x, *at = weights;
        int32_t y;
        for (y = rows; y > 0; y--) {
          tn_one_filter(values, 4, at, row, &sum);
          values = tn_next_row(&p, values);
          at += row;
        }
      }
#if defined(TN_STRETCHES)
      if (!whole) {
        tn_all_taps(w, &p, x, weights, l->run, l->runs, 1, &sum);
      }
#endif
      tn_scale(w, bias, multipliers, step, &sum, 1, out + c);
      multipliers += step;
      bias += TN_BIAS_WORDS;
      weights += row * rows;
    }
    x += w->channels / l->groups;
  }
}

TN_LOCAL void tn_convolution(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide(&((const tn_convolution_layer *)layer)->window, layer, memory, first, end, tn_convolution_pixel);
}
