/* Four values against four filters. The weights of four filters lie together, four columns k after four columns:
 *
 *   a0 b0 a2 b2   c0 d0 c2 d2   a1 b1 a3 b3   c1 d1 c3 d3
 *
 * (filters a to d), so that a word of them and a word of values are multiplied in pairs where the processor can; columns
 * that are left over lie one by one, a b c d. */

/* Adds to sums[0] .. sums[3] the products of `length` values with four filters. The values lie side by side (step 4),
 * or are the same four again and again (step 0). */
TN_INLINE void tn_quads(const int8_t *x, uint8_t step, const int8_t *weights, int32_t length, uint32_t *sums) {
  uint32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  int32_t quads;
  for (quads = length >> 2; quads > 0; quads--) {
#if TN_PAIRS
    const uint32_t values = tn_word_at(x);
    const uint32_t even = tn_bytes_0_2(values), odd = tn_bytes_1_3(values);
    uint32_t word = tn_word_at(weights);
    a = tn_add_products(a, even, tn_bytes_0_2(word));
    b = tn_add_products(b, even, tn_bytes_1_3(word));
    word = tn_word_at(weights + 4);
    c = tn_add_products(c, even, tn_bytes_0_2(word));
    d = tn_add_products(d, even, tn_bytes_1_3(word));
    word = tn_word_at(weights + 8);
    a = tn_add_products(a, odd, tn_bytes_0_2(word));
    b = tn_add_products(b, odd, tn_bytes_1_3(word));
    word = tn_word_at(weights + 12);
    c = tn_add_products(c, odd, tn_bytes_0_2(word));
    d = tn_add_products(d, odd, tn_bytes_1_3(word));
#else
    const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    a += (uint32_t)(x0 * weights[0] + x1 * weights[8] + x2 * weights[2] + x3 * weights[10]);
    b += (uint32_t)(x0 * weights[1] + x1 * weights[9] + x2 * weights[3] + x3 * weights[11]);
    c += (uint32_t)(x0 * weights[4] + x1 * weights[12] + x2 * weights[6] + x3 * weights[14]);
    d += (uint32_t)(x0 * weights[5] + x1 * weights[13] + x2 * weights[7] + x3 * weights[15]);
#endif
    x += step;
    weights += 16;
  }
  for (length &= 3; length > 0; length--) {
    const int32_t value = *x;
    a += (uint32_t)(value * weights[0]);
    b += (uint32_t)(value * weights[1]);
    c += (uint32_t)(value * weights[2]);
    d += (uint32_t)(value * weights[3]);
    x += step / 4;
    weights += 4;
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

/* The same for one filter, whose weights lie as they are. */
TN_LOCAL void tn_one_filter(const int8_t *x, uint8_t step, const int8_t *weights, int32_t length, uint32_t *sums) {
  uint32_t sum = *sums;
#if TN_PAIRS
  for (; length >= 4; length -= 4) {
    const uint32_t values = tn_word_at(x), word = tn_word_at(weights);
    sum = tn_add_products(sum, tn_bytes_0_2(values), tn_bytes_0_2(word));
    sum = tn_add_products(sum, tn_bytes_1_3(values), tn_bytes_1_3(word));
    x += step;
    weights += 4;
  }
#endif
  for (; length > 0; length--) {
    sum += (uint32_t)((int32_t)*x * *weights++);
    x += step / 4;
  }
  *sums = sum;
}
