/* Weights [out][kernel_h][kernel_w][channels of a group]. The bias has the input's zero point folded in, as if every
 * tap lay inside the map, so taps outside count as the zero point. */
typedef struct {
  tn_window window;
  uint16_t groups;
  uint16_t joined; /* the taps of a row lie side by side */
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multipliers;
  const int8_t *shifts;
} tn_convolution_layer;

static uint32_t tn_dot(const int8_t *x, const int8_t *weights, int32_t length) {
  uint32_t sum = 0;
  while (length-- > 0) {
    sum += (uint32_t)((int32_t)*x++ * *weights++);
  }
  return sum;
}

static uint32_t tn_outside(int32_t zero, const int8_t *weights, int32_t length) {
  int32_t sum = 0;
  while (length-- > 0) {
    sum += *weights++;
  }
  return (uint32_t)sum * (uint32_t)zero;
}

/* The products of one row of taps. */
static uint32_t tn_row_of_taps(const tn_convolution_layer *l, const tn_patch *p, const int8_t *x,
                               const int8_t *weights, int32_t channels) {
  const int32_t inside = p->right > p->left ? p->right - p->left : 0;
  uint32_t sum = 0;
  int32_t tap;
  if (inside < l->window.kernel_w) {
    sum += tn_outside(l->window.zero, weights, p->left * channels);
    sum += tn_outside(l->window.zero, weights + (p->left + inside) * channels,
                      (l->window.kernel_w - p->left - inside) * channels);
  }
  weights += p->left * channels;
  if (l->joined) {
    return sum + tn_dot(x, weights, inside * channels);
  }
  for (tap = 0; tap < inside; tap++) {
    sum += tn_dot(x, weights, channels);
    x += p->column_step;
    weights += channels;
  }
  return sum;
}

static void tn_convolution_pixel(const void *layer, const tn_patch *p) {
  const tn_convolution_layer *const l = (const tn_convolution_layer *)layer;
  const int32_t channels = l->window.channels / l->groups;
  const uint16_t filters = (uint16_t)(l->window.out_channels / l->groups);
  const int32_t row = channels * l->window.kernel_w;
  const int8_t *weights = l->weights;
  uint16_t c, y;
  for (c = 0; c < l->window.out_channels; c++) {
    const int8_t *x = p->at + (int32_t)(c / filters) * channels;
    uint32_t sum = (uint32_t)l->bias[c];
    for (y = 0; y < l->window.kernel_h; y++) {
      if (y < p->top || y >= p->bottom) {
        sum += tn_outside(l->window.zero, weights, row);
      } else {
        sum += tn_row_of_taps(l, p, x, weights, channels);
        x = tn_next_row(p, x);
      }
      weights += row;
    }
    p->out[c] = tn_clamp(tn_requantize((int32_t)sum, l->multipliers[c], l->shifts[c]) + l->window.out_zero,
                         l->window.low, l->window.high);
  }
}

static void tn_convolution(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_slide(&((const tn_convolution_layer *)layer)->window, layer, memory, first, end, tn_convolution_pixel);
}
