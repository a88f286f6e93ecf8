/* A window that is the whole input, such as a dense layer's: four channels at a time, and two if no more are left.
 *
 * Constants are one stream of words. For each four or two channels: their biases (the input's zero point folded in), for
 * each four values a word of weights of each channel, their multipliers, and a word of their right shifts less one.
 * Values and channels are filled up with weights of 0. */
typedef struct {
  uint32_t in, out;
  uint16_t quads;    /* fours of values */
  uint16_t channels;
  int8_t out_zero, low, high;
  const uint32_t *constants;
} tn_dense_layer;

/* The code for Arm knows these fields by their places. */
typedef struct {
  const int8_t *x;
  const uint32_t *k;
  int32_t center; /* twice the output's zero point, plus one */
  int32_t channels;
  int8_t *out;
} tn_dense_run;

#if TN_PAIRS
/* Four values by four channels: the sums in r4 .. r7. */
#define TN_QUAD                     \
  "ldr    r3, [r0], #4          \n" \
  "ldmia  r1!, {r8-r11}         \n" \
  "sxtb16 r2, r3                \n" \
  "sxtb16 r3, r3, ror #8        \n" \
  TN_QUAD_CHANNEL("r4", "r8") TN_QUAD_CHANNEL("r5", "r9") TN_QUAD_CHANNEL("r6", "r10") TN_QUAD_CHANNEL("r7", "r11")
#define TN_QUAD_CHANNEL(sum, weights)               \
  "sxtb16 r12, " weights "                      \n" \
  "sxtb16 " weights ", " weights ", ror #8      \n" \
  "smlad  " sum ", r2, r12, " sum "             \n" \
  "smlad  " sum ", r3, " weights ", " sum "     \n"

TN_LOCAL __attribute__((naked, noinline)) void tn_dense_channels(__attribute__((unused)) tn_dense_run *run,
                                                               __attribute__((unused)) const int8_t *end) {
  __asm__ volatile(
      "push   {r0, r1, r4-r11, lr}  \n"
      "ldr    r2, [sp]              \n"
      "ldr    r1, [r2, #4]          \n"
      "1:                           \n" /* four channels */
      "ldr    r2, [sp]              \n"
      "ldr    lr, [sp, #4]          \n"
      "ldr    r3, [r2, #12]         \n"
      "ldr    r0, [r2]              \n"
      "cmp    r3, #2                \n"
      "ble    5f                    \n"
      "ldmia  r1!, {r4-r7}          \n"
      "sub    r2, lr, r0            \n"
      "tst    r2, #4                \n"
      "bne    3f                    \n"
      "2:                           \n"
      TN_QUAD
      "3:                           \n"
      TN_QUAD
      "cmp    r0, lr                \n"
      "bne    2b                    \n"
      "ldmia  r1!, {r2, r3, r8, r9, r12} \n"
      "ldr    r0, [sp]              \n"
      "ldr    r10, [r0, #8]         \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r4", "r2")
      "lsr    r12, r12, #8          \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r5", "r3")
      "lsr    r12, r12, #8          \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r6", "r8")
      "lsr    r12, r12, #8          \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r7", "r9")
      "ldrd   r2, r3, [r0, #12]     \n"
      "subs   r2, r2, #4            \n"
      "strb   r4, [r3], #1          \n"
      "strb   r5, [r3], #1          \n"
      "strb   r6, [r3], #1          \n"
      "it     pl                    \n" /* at times but three were left */
      "strbpl r7, [r3], #1          \n"
      "strd   r2, r3, [r0, #12]     \n"
      "bgt    1b                    \n"
      "pop    {r0, r1, r4-r11, pc}  \n"
      "5:                           \n" /* two channels, or one */
      "ldmia  r1!, {r4, r5}         \n"
      "6:                           \n"
      "ldr    r3, [r0], #4          \n"
      "ldmia  r1!, {r8, r9}         \n"
      "sxtb16 r2, r3                \n"
      "sxtb16 r3, r3, ror #8        \n"
      TN_QUAD_CHANNEL("r4", "r8") TN_QUAD_CHANNEL("r5", "r9")
      "cmp    r0, lr                \n"
      "bne    6b                    \n"
      "ldmia  r1, {r2, r3, r12}     \n"
      "ldr    r0, [sp]              \n"
      "ldr    r10, [r0, #8]         \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r4", "r2")
      "lsr    r12, r12, #8          \n"
      "lsl    lr, r10, r12          \n"
      TN_RESULT("r5", "r3")
      "ldrd   r2, r3, [r0, #12]     \n"
      "strb   r4, [r3]              \n"
      "cmp    r2, #1                \n"
      "it     gt                    \n"
      "strbgt r5, [r3, #1]          \n"
      "pop    {r0, r1, r4-r11, pc}  \n");
}
#else
/* Two channels of which each word of weights stands beside that of the other, `together` words from four values to the
 * next. */
TN_LOCAL void tn_dense_some(const tn_dense_run *run, const int8_t *end, const uint32_t *k, int32_t together,
                          uint32_t *sums) {
  uint32_t a = sums[0], b = sums[1];
  const int8_t *x;
  for (x = run->x; x != end; x += 4) {
    const int32_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    const uint32_t one = k[0], two = k[1];
    a += (uint32_t)(x0 * tn_byte(one, 0));
    a += (uint32_t)(x1 * tn_byte(one, 1));
    a += (uint32_t)(x2 * tn_byte(one, 2));
    a += (uint32_t)(x3 * tn_byte(one, 3));
    b += (uint32_t)(x0 * tn_byte(two, 0));
    b += (uint32_t)(x1 * tn_byte(two, 1));
    b += (uint32_t)(x2 * tn_byte(two, 2));
    b += (uint32_t)(x3 * tn_byte(two, 3));
    k += together;
  }
  sums[0] = a;
  sums[1] = b;
}

TN_LOCAL void tn_dense_channels(tn_dense_run *run, const int8_t *end) {
  const uint32_t *k = run->k;
  int32_t c, first, together;
  for (first = 0; first < run->channels; first += together) {
    uint32_t sums[4];
    together = run->channels - first > 2 ? 4 : 2;
    for (c = 0; c < together; c++) {
      sums[c] = k[c];
    }
    for (c = 0; c < together; c += 2) {
      tn_dense_some(run, end, k + together + c, together, sums + c);
    }
    k += together + (end - run->x) / 4 * together;
    for (c = 0; c < together && first + c < run->channels; c++) {
      run->out[first + c] = tn_result(sums[c], k[c], (uint8_t)(k[together] >> 8 * c), run->center);
    }
    k += together + 1;
  }
}
#endif

TN_LOCAL void tn_dense(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_dense_layer *const l = (const tn_dense_layer *)layer;
  tn_dense_run run;
  (void)first;
  (void)end;
  run.x = memory + l->in;
  run.k = l->constants;
  run.center = 2 * l->out_zero + 1;
  run.channels = l->channels;
  run.out = memory + l->out;
  tn_dense_channels(&run, run.x + 4 * (int32_t)l->quads);
  tn_limit(memory + l->out, l->channels, l->low, l->high);
}
