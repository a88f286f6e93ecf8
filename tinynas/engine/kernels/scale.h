/* From sums to results: `n` channels with their multipliers and shifts, which follow one another or (step 0) are one. */
TN_INLINE void tn_scale(const tn_window *w, const int32_t *multipliers, const int8_t *shifts, uint8_t step,
                        const uint32_t *sums, int32_t n, int8_t *out) {
  const int32_t zero = w->out_zero;
  const int8_t low = w->low, high = w->high;
  for (; n > 0; n--) {
    *out++ = tn_clamp(tn_requantize((int32_t)*sums++, *multipliers, *shifts) + zero, low, high);
    multipliers += step;
    shifts += step;
  }
}
