/* Windows that are not one stretch: taps outside a great window, in groups, or with gaps. */
#define TN_STRETCHES 1

TN_LOCAL void tn_four_filters(const int8_t *x, uint8_t step, const int8_t *weights, int32_t length, uint32_t *sums) {
  tn_quads(x, step, weights, length, sums);
}

/* Adds the products of all taps of four filters, or of one, stretch by stretch. */
TN_APART void tn_all_taps(const tn_window *w, const tn_patch *p, const int8_t *row, const int8_t *weights,
                          uint16_t run, uint16_t runs, uint8_t filters, uint32_t *sums) {
  const int8_t zero = w->zero;
  const int8_t zeros[4] = {zero, zero, zero, zero};
  uint16_t y, tap;
  for (y = 0; y < w->kernel_h; y++) {
    const uint8_t inside_row = y >= p->top && y < p->bottom;
    const int8_t *x = row;
    for (tap = 0; tap < runs; tap++) {
      const uint8_t inside = inside_row && (runs == 1 || (tap >= p->left && tap < p->right));
      (filters == 4 ? tn_four_filters : tn_one_filter)(inside ? x : zeros, inside ? 4 : 0, weights, run, sums);
      x += inside ? p->column_step : 0;
      weights += (int32_t)run * filters;
    }
    row = inside_row ? tn_next_row(p, row) : row;
  }
}
