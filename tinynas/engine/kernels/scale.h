/* A channel's bias and the power of two of its factor lie in one word, by how much to shift right in the lowest five bits;
 * in two where one of them does not fit (TN_WIDE_BIASES). */
#if TN_WIDE_BIASES
#define TN_BIAS_WORDS 2
TN_INLINE uint32_t tn_bias(const int32_t *channel) {
  return (uint32_t)channel[0];
}

TN_INLINE int8_t tn_shift(const int32_t *channel) {
  return (int8_t)channel[1];
}
#else
#define TN_BIAS_WORDS 1
TN_INLINE uint32_t tn_bias(const int32_t *channel) {
  return (uint32_t)(*channel >> 5);
}

TN_INLINE int8_t tn_shift(const int32_t *channel) {
  return (int8_t)-(*channel & 31);
}
#endif

/* From sums to results: `n` channels with their multipliers, which follow one another or (step 0) are one. */
TN_INLINE void tn_scale(const tn_window *w, const int32_t *channel, const int32_t *multipliers, uint8_t step,
                        const uint32_t *sums, int32_t n, int8_t *out) {
  const int32_t zero = w->out_zero;
  const int8_t low = w->low, high = w->high;
  for (; n > 0; n--) {
    *out++ = tn_clamp(tn_requantize((int32_t)*sums++, *multipliers, tn_shift(channel)) + zero, low, high);
    multipliers += step;
    channel += TN_BIAS_WORDS;
  }
}
