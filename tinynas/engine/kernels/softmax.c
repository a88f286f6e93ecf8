/* exps[k] is exp of k steps below the greatest, Q0.31; beyond n_exps it is 0. Without a table a step has a factor. */
typedef struct {
  const int32_t *exps;
  int32_t multiplier;
  uint8_t shift;
  uint16_t n_exps;
  uint32_t in, out;
  uint16_t classes;
} tn_softmax_layer;

TN_INLINE int32_t tn_exp_of(const tn_softmax_layer *l, int32_t below) {
#if defined(TN_EXP)
  if (!l->exps) {
    return tn_exp(below, l->multiplier, l->shift);
  }
#endif
  return l->exps[below];
}

TN_LOCAL int32_t tn_doubled(int32_t x, uint8_t times) {
  while (times-- > 0) {
    x = x > INT32_MAX / 2 ? INT32_MAX : x < INT32_MIN / 2 ? INT32_MIN : x * 2;
  }
  return x;
}

/* 1 / (1 + x), Q0.31, by three steps of Newton's method. */
TN_LOCAL int32_t tn_one_over_one_plus(int32_t x) {
  const int32_t half = (int32_t)(((uint32_t)x + (uint32_t)INT32_MAX + 1u) >> 1);
  int32_t result = 1515870810 + tn_high_product(half, -1010580540);
  uint8_t step;
  for (step = 0; step < 3; step++) {
    const int32_t error = ((int32_t)1 << 29) - tn_high_product(half, result);
    result += tn_doubled(tn_high_product(result, error), 2);
  }
  return tn_doubled(result, 1);
}

TN_LOCAL void tn_softmax(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_softmax_layer *const l = (const tn_softmax_layer *)layer;
  uint16_t row, c;
  for (row = first; row < end; row++) {
    const int8_t *in = memory + l->in + (int32_t)row * l->classes;
    int8_t *out = memory + l->out + (int32_t)row * l->classes;
    int32_t scale, most = -128;
    uint32_t total = 0;
    uint8_t shift = 35;
    for (c = 0; c < l->classes; c++) {
      most = in[c] > most ? in[c] : most;
    }
    for (c = 0; c < l->classes; c++) {
      const int32_t below = most - in[c];
      if (below < (int32_t)l->n_exps) {
        total += ((uint32_t)tn_exp_of(l, below) + 2048u) >> 12;
      }
    }
    while (total < (uint32_t)1 << 31) {
      total <<= 1;
      shift--;
    }
    scale = tn_one_over_one_plus((int32_t)(total - ((uint32_t)1 << 31)));
    for (c = 0; c < l->classes; c++) {
      const int32_t below = most - in[c];
      uint32_t share = 0;
      if (below < (int32_t)l->n_exps && shift < 32) {
        share = ((uint32_t)tn_high_product(scale, tn_exp_of(l, below)) + ((uint32_t)1 << (shift - 1))) >> shift;
      }
      out[c] = (int8_t)(share > 255u ? 127 : (int32_t)share - 128);
    }
  }
}
