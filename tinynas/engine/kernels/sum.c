/* ADD and SUB: both operands in a common scale, 20 bits finer. */
#if TN_PAIRS
/* ADD where the first operand's factor is 1/2, the shifts go right and values lie side by side: no tests, no product of
 * 64 bits. If the second factor is 1/2 too, its shift is one to the left and one back. */
TN_LOCAL void tn_quick_sums(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out) {
  const uint8_t half = l->factors[1].shift == 0;
  const uint32_t multiplier = (uint32_t)l->factors[1].multiplier, last = (uint32_t)l->factors[2].multiplier;
  const uint32_t up = half ? 22 : 21, down = half ? 1 : (uint32_t)-l->factors[1].shift;
  const uint32_t last_down = (uint32_t)-l->factors[2].shift, zero = (uint32_t)(int32_t)l->operands[1].zero;
  const uint32_t start = 0u - ((uint32_t)(int32_t)l->operands[0].zero << 19);
  const uint32_t rounding = (uint32_t)1 << (down - 1);
  const uint32_t last_rounding = (uint32_t)(2 * l->out_zero + 1) << (last_down - 1);
  int8_t *const end = out + l->inner;
  while (out != end) {
    uint32_t x = tn_high_word(((uint32_t)(int32_t)*b++ - zero) << up, multiplier);
    x = tn_shifted(x + tn_sign(x) + rounding, down) + start + ((uint32_t)(int32_t)*a++ << 19);
    x = tn_high_word(x << 1, last);
    *out++ = (int8_t)tn_saturated(tn_shifted(x + tn_sign(x) + last_rounding, last_down));
  }
  tn_limit(end - l->inner, l->inner, l->low, l->high);
}
#endif

TN_LOCAL void tn_sums(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out) {
  const tn_operand *const one = &l->operands[0], *const two = &l->operands[1];
  const tn_factor *const factors = l->factors;
  const int32_t fine = (int32_t)1 << 20;
  int32_t i;
#if TN_PAIRS
  if (l->quick && one->step == 1 && two->step == 1) {
    tn_quick_sums(l, a, b, out);
    return;
  }
#endif
  for (i = l->inner; i > 0; i--) {
    const int32_t x = tn_requantize(((int32_t)*a - one->zero) * fine, factors[0].multiplier, factors[0].shift);
    const int32_t y = tn_requantize(((int32_t)*b - two->zero) * fine, factors[1].multiplier, factors[1].shift);
    *out++ = tn_clamp(tn_requantize(x + y * l->sign, factors[2].multiplier, factors[2].shift) + l->out_zero, l->low, l->high);
    a += one->step;
    b += two->step;
  }
}

TN_LOCAL void tn_sum(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  tn_each_pair((const tn_pair_layer *)layer, memory, first, end, tn_sums);
}
