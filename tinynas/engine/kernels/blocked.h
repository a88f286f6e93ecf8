/* All channels of four pixels: the inner loops of tn_blocked. */
/* The code for Arm knows these fields by their places. */
typedef struct {
  const uint32_t *x;      /* pairs of values, each of the four pixels in turn */
  const uint32_t *k;      /* the stream of constants */
  int32_t center;         /* twice the output's zero point, plus one */
  int32_t channels;
  int8_t *out[TN_BLOCK];
} tn_block;

#if TN_PAIRS
/* Two weights of two channels, by two values of each pixel: the sums of one channel in r4 .. r7, of the other in
 * r8 .. r11. */
#define TN_PRODUCTS                 \
  "ldrd   r12, lr, [r0], #8     \n" \
  "smlad  r4, r12, r2, r4       \n" \
  "smlad  r8, r12, r3, r8       \n" \
  "smlad  r5, lr, r2, r5        \n" \
  "smlad  r9, lr, r3, r9        \n" \
  "ldrd   r12, lr, [r0], #8     \n" \
  "smlad  r6, r12, r2, r6       \n" \
  "smlad  r10, r12, r3, r10     \n" \
  "smlad  r7, lr, r2, r7        \n" \
  "smlad  r11, lr, r3, r11      \n"
#define TN_WORD                     \
  "ldr    r3, [r1], #4          \n" \
  "sxtb16 r2, r3                \n" \
  "sxtb16 r3, r3, ror #8        \n" \
  TN_PRODUCTS
#define TN_CHANNELS(word)               \
  "push   {r0, r1, r4-r11, lr}  \n"     \
  "1:                           \n" /* two channels */ \
  "ldr    r2, [sp]              \n"     \
  "ldrd   r0, r1, [r2]          \n"     \
  "ldr    r3, [sp, #4]          \n"     \
  "ldmia  r1!, {r4, r8}         \n"     \
  "mov    r5, r4                \n"     \
  "mov    r6, r4                \n"     \
  "mov    r7, r4                \n"     \
  "mov    r9, r8                \n"     \
  "mov    r10, r8               \n"     \
  "mov    r11, r8               \n"     \
  "subs   r3, r3, r0            \n"     \
  "lsls   r3, r3, #26           \n" /* 16 bytes a word: an odd number of two words? */ \
  "bmi    4f                    \n"     \
  "2:                           \n"     \
  word                                  \
  word                                  \
  "4:                           \n"     \
  word                                  \
  word                                  \
  "ldr    r2, [sp, #4]          \n"     \
  "cmp    r0, r2                \n"     \
  "bne    2b                    \n"     \
  "ldr    r0, [sp]              \n"     \
  "ldmia  r1!, {r2, r3, r12}    \n"     \
  "str    r1, [r0, #4]          \n"     \
  "ldr    r1, [r0, #8]          \n"     \
  "lsl    lr, r1, r12           \n"     \
  TN_RESULT("r4", "r2") TN_RESULT("r5", "r2") TN_RESULT("r6", "r2") TN_RESULT("r7", "r2") \
  "lsr    r12, r12, #8          \n"     \
  "lsl    lr, r1, r12           \n"     \
  TN_RESULT("r8", "r3") TN_RESULT("r9", "r3") TN_RESULT("r10", "r3") TN_RESULT("r11", "r3") \
  "add    r1, r0, #16           \n"     \
  "ldr    r0, [r0, #12]         \n"     \
  "ldmia  r1, {r2, r3, r12, lr} \n"     \
  "strb   r4, [r2], #1          \n"     \
  "strb   r5, [r3], #1          \n"     \
  "strb   r6, [r12], #1         \n"     \
  "strb   r7, [lr], #1          \n"     \
  "subs   r0, r0, #2            \n"     \
  "str    r0, [r1, #-4]         \n"     \
  "bmi    3f                    \n" /* there was but one channel left */ \
  "strb   r8, [r2], #1          \n"     \
  "strb   r9, [r3], #1          \n"     \
  "strb   r10, [r12], #1        \n"     \
  "strb   r11, [lr], #1         \n"     \
  "stmia  r1, {r2, r3, r12, lr} \n"     \
  "bne    1b                    \n"     \
  "3:                           \n"     \
  "pop    {r0, r1, r4-r11, pc}  \n"

TN_LOCAL __attribute__((naked, noinline)) void tn_channels(__attribute__((unused)) tn_block *block,
                                                         __attribute__((unused)) const uint32_t *end) {
  __asm__ volatile(TN_CHANNELS(TN_WORD));
}
#else
/* Two channels of two pixels, their weights one or (`wide`) two words for two values. Returns where the constants of the
 * next two channels begin. */
TN_INLINE const uint32_t *tn_two_channels(const tn_block *block, const uint32_t *x, const uint32_t *end, uint8_t wide,
                                          const uint32_t *k, int8_t *const *out, int32_t c) {
  uint32_t a0 = k[0], b0 = k[1], a1 = a0, b1 = b0;
  for (k += 2; x != end; x += TN_BLOCK) {
    const int32_t a_first = wide ? tn_low(k[0]) : tn_byte(*k, 0), a_second = wide ? tn_high(k[0]) : tn_byte(*k, 2);
    const int32_t b_first = wide ? tn_low(k[1]) : tn_byte(*k, 1), b_second = wide ? tn_high(k[1]) : tn_byte(*k, 3);
    int32_t first = tn_low(x[0]), second = tn_high(x[0]);
    a0 += (uint32_t)(first * a_first);
    b0 += (uint32_t)(first * b_first);
    a0 += (uint32_t)(second * a_second);
    b0 += (uint32_t)(second * b_second);
    first = tn_low(x[1]);
    second = tn_high(x[1]);
    a1 += (uint32_t)(first * a_first);
    b1 += (uint32_t)(first * b_first);
    a1 += (uint32_t)(second * a_second);
    b1 += (uint32_t)(second * b_second);
    k += wide ? 2 : 1;
  }
  out[0][c] = tn_result(a0, k[0], (uint8_t)k[2], block->center);
  out[1][c] = tn_result(a1, k[0], (uint8_t)k[2], block->center);
  if (c + 1 < block->channels) {
    out[0][c + 1] = tn_result(b0, k[1], (uint8_t)(k[2] >> 8), block->center);
    out[1][c + 1] = tn_result(b1, k[1], (uint8_t)(k[2] >> 8), block->center);
  }
  return k + 3;
}

TN_INLINE void tn_all_channels(tn_block *block, const uint32_t *end, uint8_t wide) {
  const uint32_t *next = block->k;
  int32_t c;
  for (c = 0; c < block->channels; c += 2) {
    tn_two_channels(block, block->x, end, wide, next, block->out, c);
    next = tn_two_channels(block, block->x + 2, end + 2, wide, next, block->out + 2, c);
  }
  block->k = next;
}

TN_LOCAL void tn_channels(tn_block *block, const uint32_t *end) {
  tn_all_channels(block, end, 0);
}
#endif
