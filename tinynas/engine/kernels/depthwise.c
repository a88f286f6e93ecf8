/* Weights [kernel_h][kernel_w][out]; output channel c reads input channel c / (out / channels). */
typedef struct {
  tn_window window;
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multipliers;
} tn_depthwise_layer;

/* Adds to the sums the products of the taps inside the map, of four channels from c on or of one. */
TN_INLINE void tn_depthwise_taps(const tn_window *w, const tn_patch *p, const int8_t *row, const int8_t *weights,
                                 uint8_t channels, uint32_t *sums) {
  const int32_t out_channels = w->out_channels, row_of_weights = out_channels * w->kernel_w;
  const int32_t zero = w->zero, column_step = p->column_step;
  const int32_t taps = (int32_t)p->right - p->left;
  uint32_t s0 = sums[0], s1 = 0, s2 = 0, s3 = 0;
  int32_t x, y;
#if TN_PAIRS
  const uint32_t zeros = ((uint32_t)zero & 0xFFFFu) | (uint32_t)zero << 16;
#endif
  if (channels == 4) {
    s1 = sums[1];
    s2 = sums[2];
    s3 = sums[3];
  }
  weights += p->top * row_of_weights + p->left * out_channels;
  for (y = (int32_t)p->bottom - p->top; y > 0; y--) {
    const int8_t *value = row, *weight = weights;
    for (x = taps; x > 0; x--) {
      if (channels == 4) {
#if TN_PAIRS
        const uint32_t values = tn_word_at(value), word = tn_word_at(weight);
        const uint32_t even = tn_subtract_pair(tn_bytes_0_2(values), zeros);
        const uint32_t odd = tn_subtract_pair(tn_bytes_1_3(values), zeros);
        const uint32_t even_weights = tn_bytes_0_2(word), odd_weights = tn_bytes_1_3(word);
        s0 = tn_add_low_product(s0, even, even_weights);
        s1 = tn_add_low_product(s1, odd, odd_weights);
        s2 = tn_add_high_product(s2, even, even_weights);
        s3 = tn_add_high_product(s3, odd, odd_weights);
#else
        s0 += (uint32_t)((value[0] - zero) * weight[0]);
        s1 += (uint32_t)((value[1] - zero) * weight[1]);
        s2 += (uint32_t)((value[2] - zero) * weight[2]);
        s3 += (uint32_t)((value[3] - zero) * weight[3]);
#endif
      } else {
        s0 += (uint32_t)((*value - zero) * *weight);
      }
      value += column_step;
      weight += out_channels;
    }
    row = tn_next_row(p, row);
    weights += row_of_weights;
  }
  sums[0] = s0;
  if (channels == 4) {
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
  }
}

TN_APART void tn_four_channels(const tn_window *w, const tn_patch *p, const int8_t *row, const int8_t *weights,
                               uint32_t *sums) {
  tn_depthwise_taps(w, p, row, weights, 4, sums);
}

TN_LOCAL void tn_depthwise_pixel(const void *layer, const tn_patch *p) {
  const tn_depthwise_layer *const l = (const tn_depthwise_layer *)layer;
  const tn_window *const w = &l->window;
  const int32_t multiplier = w->out_channels / w->channels, channels = w->out_channels;
  const int32_t *bias = l->bias, *const multipliers = l->multipliers;
  const int8_t *const weights = l->weights;
  int32_t c = 0;
  for (; multiplier == 1 && channels - c >= 4; c += 4) {
    uint32_t sums[4];
    sums[0] = tn_bias(bias);
    sums[1] = tn_bias(bias + TN_BIAS_WORDS);
    sums[2] = tn_bias(bias + 2 * TN_BIAS_WORDS);
    sums[3] = tn_bias(bias + 3 * TN_BIAS_WORDS);
    tn_four_channels(w, p, p->at + c, weights + c, sums);
    tn_scale(w, bias, multipliers + c, 1, sums, 4, p->out + c);
    bias += 4 * TN_BIAS_WORDS;
  }
  for (; c < channels; c++) {
    uint32_t sum = tn_bias(bias);
    tn_depthwise_taps(w, p, p->at + c / multiplier, weights + c, 1, &sum);
    tn_scale(w, bias, multipliers + c, 1, &sum, 1, p->out + c);
    bias += TN_BIAS_WORDS;
  }
}

TN_LOCAL void tn_depthwise(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide(&((const tn_depthwise_layer *)layer)->window, layer, memory, first, end, tn_depthwise_pixel);
}
