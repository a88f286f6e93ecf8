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
/* A word of weights, one of each pixel's values: the sums of one channel in r4 .. r7, of the other in r8 .. r11. */
#define TN_WORD                     \
  "ldr    r2, [r1], #4          \n" \
  "sxtb16 r3, r2                \n" \
  "sxtb16 r2, r2, ror #8        \n" \
  "ldrd   r12, lr, [r0], #8     \n" \
  "smlad  r4, r12, r3, r4       \n" \
  "smlad  r8, r12, r2, r8       \n" \
  "smlad  r5, lr, r3, r5        \n" \
  "smlad  r9, lr, r2, r9        \n" \
  "ldrd   r12, lr, [r0], #8     \n" \
  "smlad  r6, r12, r3, r6       \n" \
  "smlad  r10, r12, r2, r10     \n" \
  "smlad  r7, lr, r3, r7        \n" \
  "smlad  r11, lr, r2, r11      \n"

static __attribute__((naked, noinline)) void tn_channels(__attribute__((unused)) tn_block *block,
                                                         __attribute__((unused)) const uint32_t *end) {
  __asm__ volatile(
      "push   {r0, r1, r4-r11, lr}  \n"
      "1:                           \n" /* two channels */
      "ldr    r2, [sp]              \n"
      "ldrd   r0, r1, [r2]          \n"
      "ldmia  r1!, {r4, r8}         \n"
      "mov    r5, r4                \n"
      "mov    r6, r4                \n"
      "mov    r7, r4                \n"
      "mov    r9, r8                \n"
      "mov    r10, r8               \n"
      "mov    r11, r8               \n"
      "ldr    r3, [sp, #4]          \n"
      "subs   r3, r3, r0            \n"
      "lsls   r3, r3, #26           \n" /* 16 bytes a word: an odd number of two words? */
      "bmi    4f                    \n"
      "2:                           \n"
      TN_WORD
      TN_WORD
      "4:                           \n"
      TN_WORD
      TN_WORD
      "ldr    r2, [sp, #4]          \n"
      "cmp    r0, r2                \n"
      "bne    2b                    \n"
      "ldr    r0, [sp]              \n"
      "ldmia  r1!, {r2, r3, r12}    \n"
      "str    r1, [r0, #4]          \n"
      "ldr    lr, [r0, #8]          \n"
      "lsl    lr, lr, r12           \n"
      TN_RESULT("r4", "r2") TN_RESULT("r5", "r2") TN_RESULT("r6", "r2") TN_RESULT("r7", "r2")
      "ldr    lr, [r0, #8]          \n"
      "lsr    r12, r12, #8          \n"
      "lsl    lr, lr, r12           \n"
      TN_RESULT("r8", "r3") TN_RESULT("r9", "r3") TN_RESULT("r10", "r3") TN_RESULT("r11", "r3")
      "add    r1, r0, #16           \n"
      "ldr    r0, [r0, #12]         \n"
      "ldmia  r1, {r2, r3, r12, lr} \n"
      "strb   r4, [r2], #1          \n"
      "strb   r5, [r3], #1          \n"
      "strb   r6, [r12], #1         \n"
      "strb   r7, [lr], #1          \n"
      "subs   r0, r0, #2            \n"
      "str    r0, [r1, #-4]         \n"
      "bmi    3f                    \n" /* there was but one channel left */
      "strb   r8, [r2], #1          \n"
      "strb   r9, [r3], #1          \n"
      "strb   r10, [r12], #1        \n"
      "strb   r11, [lr], #1         \n"
      "stmia  r1, {r2, r3, r12, lr} \n"
      "bne    1b                    \n"
      "3:                           \n"
      "pop    {r0, r1, r4-r11, pc}  \n");
}
#else
static void tn_channels(tn_block *block, const uint32_t *end) {
  const uint32_t *k = block->k;
  int32_t c;
  for (c = 0; c < block->channels; c++) {
    const uint8_t second = (uint8_t)(c & 1);
    uint32_t sums[TN_BLOCK];
    const uint32_t *x = block->x;
    const uint32_t *weights = k + 2;
    int32_t q;
    for (q = 0; q < TN_BLOCK; q++) {
      sums[q] = k[second];
    }
    for (; x != end; x += TN_BLOCK) {
      const uint32_t two = second ? tn_bytes_1_3(*weights++) : tn_bytes_0_2(*weights++);
      for (q = 0; q < TN_BLOCK; q++) {
        sums[q] = tn_add_products(sums[q], x[q], two);
      }
    }
    for (q = 0; q < TN_BLOCK; q++) {
      block->out[q][c] = tn_result(sums[q], weights[second], (uint8_t)(weights[2] >> 8 * second), block->center);
    }
    k = second || c + 1 == block->channels ? weights + 3 : k;
  }
  block->k = k;
}
#endif
