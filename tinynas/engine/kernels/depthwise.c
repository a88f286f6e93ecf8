/* Weights [kernel_h][kernel_w][out]; output channel c reads input channel c / (out / channels). */
typedef struct {
  tn_window window;
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multipliers;
  const int8_t *shifts;
} tn_depthwise_layer;

static void tn_depthwise_pixel(const void *layer, const tn_patch *p) {
  const tn_depthwise_layer *const l = (const tn_depthwise_layer *)layer;
  const tn_window *const w = &l->window;
  const uint16_t multiplier = (uint16_t)(w->out_channels / w->channels);
  uint16_t c, y, x;
  for (c = 0; c < w->out_channels; c++) {
    uint32_t sum = (uint32_t)l->bias[c];
    const int8_t *row = p->at + c / multiplier;
    for (y = p->top; y < p->bottom; y++) {
      const int8_t *weights = l->weights + ((int32_t)y * w->kernel_w + p->left) * w->out_channels + c;
      const int8_t *value = row;
      for (x = p->left; x < p->right; x++) {
        sum += (uint32_t)((int32_t)*weights * ((int32_t)*value - w->zero));
        weights += w->out_channels;
        value += p->column_step;
      }
      row = tn_next_row(p, row);
    }
    p->out[c] = tn_clamp(tn_requantize((int32_t)sum, l->multipliers[c], l->shifts[c]) + w->out_zero, w->low, w->high);
  }
}

static void tn_depthwise(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide(&((const tn_depthwise_layer *)layer)->window, layer, memory, first, end, tn_depthwise_pixel);
}
