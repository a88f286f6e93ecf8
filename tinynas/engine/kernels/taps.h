/* A row of pixels, four channels by four, each channel by its own weights: the inner loops of tn_depthwise_rows. */

/* The code for Arm knows these fields by their places. Values lie as pairs: channels 0 and 2 in a word, then 1 and 3; so
 * do the weights of a tap with TN_WIDE_TAPS, and without they are the four bytes of a word. */
typedef struct {
  const uint32_t *k;        /* of each four channels: biases, the weights, multipliers, the shifts less one */
  int32_t center;           /* twice the output's zero point, plus one */
  const uint32_t *rows;     /* the bytes from `at` to each row of taps */
  const uint32_t *rows_end;
  const int8_t *at;
  int32_t advance;          /* bytes from the values of two pixels to those of the next two */
  int8_t *out;
  int32_t pitch;            /* bytes from the first pixel's results to the second's */
  int32_t twos;             /* how many times two pixels */
  int32_t row_bytes;        /* of taps */
  int32_t tap_bytes;
  int32_t channels;
  int32_t second;           /* the second pixel's values begin so many times 8 bytes behind the first's: 1, 2, or 0 with a
                               pitch of 0 where pixels are made one by one */
  int32_t plane;            /* bytes from four channels' values to the next four's */
  int32_t odd;              /* the last two pixels are but one */
  int32_t k_bytes;          /* constants of four channels */
  int32_t out_advance;      /* bytes from two pixels' results to the next two's */
} tn_taps;

#if TN_PAIRS
#if TN_WIDE_TAPS
#define TN_TAP_WEIGHTS "ldrd   r2, r3, [r1], #8                 \n"
#else
#define TN_TAP_WEIGHTS                         \
  "ldr    r2, [r1], #4                     \n" \
  "sxtb16 r3, r2, ror #8                   \n" \
  "sxtb16 r2, r2                           \n"
#endif
/* A tap of two pixels, the second's values at r0 + `second`: sums in r4 .. r7 and r8 .. r11. */
#define TN_TAP(second, step)                   \
  TN_TAP_WEIGHTS                               \
  "ldrd   r12, lr, [r0, #" second "]       \n" \
  "smlabb r8, r12, r2, r8                  \n" \
  "smlabb r9, lr, r3, r9                   \n" \
  "smlatt r10, r12, r2, r10                \n" \
  "smlatt r11, lr, r3, r11                 \n" \
  "ldrd   r12, lr, [r0]" step "            \n" \
  "smlabb r4, r12, r2, r4                  \n" \
  "smlabb r5, lr, r3, r5                   \n" \
  "smlatt r6, r12, r2, r6                  \n" \
  "smlatt r7, lr, r3, r7                   \n"
/* All rows of taps: three taps side by side, or as many as there are. */
#define TN_ROW(label)                          \
  label ":                                 \n" \
  "ldr    r0, [r2], #4                     \n" \
  "ldr    r3, [sp, #76]                    \n" \
  "str    r2, [sp, #68]                    \n" \
  "add    r0, r0, r3                       \n"
#define TN_NEXT_ROW(label)                     \
  "ldr    r2, [sp, #68]                    \n" \
  "ldr    r3, [sp, #12]                    \n" \
  "cmp    r2, r3                           \n" \
  "bne    " label "b                       \n" \
  "b      6f                               \n"
#define TN_ROWS_OF_THREE(second, label)                                              \
  TN_ROW(label) TN_TAP(second, ", #8") TN_TAP(second, ", #8") TN_TAP(second, ", #8") \
  TN_NEXT_ROW(label)
#define TN_ROWS_OF_ANY(second, label)          \
  TN_ROW(label)                                \
  "ldr    r3, [sp, #36]                    \n" \
  "add    r3, r0, r3                       \n" \
  "str    r3, [sp, #72]                    \n" \
  "7:                                      \n" \
  TN_TAP(second, "")                           \
  "ldr    r2, [sp, #40]                    \n" \
  "ldr    r3, [sp, #72]                    \n" \
  "add    r0, r0, r2                       \n" \
  "cmp    r0, r3                           \n" \
  "bne    7b                               \n" \
  TN_NEXT_ROW(label)
/* A channel of two pixels. */
#define TN_TWO_RESULTS(one, two)               \
  "ldr    r2, [r1], #4                     \n" \
  "lsl    lr, r3, r12                      \n" \
  TN_RESULT(one, "r2") TN_RESULT(two, "r2")

/* On the stack lie the fields, then what goes on: the row of taps (68), its end (72), the values (76), the results (80),
 * how many twos (84), the second pixel's values (88) and its pitch (92). */
TN_LOCAL __attribute__((naked, noinline)) void tn_two_by_two(__attribute__((unused)) const tn_taps *taps) {
  __asm__ volatile(
      "push   {r4-r11, lr}          \n"
      "sub    sp, sp, #100          \n"
      "mov    r12, sp               \n"
      "ldmia  r0!, {r4-r11}         \n"
      "stmia  r12!, {r4-r11}        \n"
      "ldmia  r0!, {r3-r11}         \n"
      "stmia  r12!, {r3-r11}        \n"
      "0:                           \n" /* four channels */
      "ldr    r0, [sp, #16]         \n"
      "ldr    r1, [sp, #24]         \n"
      "ldr    r2, [sp, #32]         \n"
      "ldr    r3, [sp, #48]         \n"
      "ldr    lr, [sp, #28]         \n"
      "add    r12, sp, #76          \n"
      "stmia  r12, {r0-r3, lr}      \n"
      "9:                           \n" /* two pixels */
      "cmp    r2, #1                \n"
      "bne    1f                    \n"
      "ldr    r0, [sp, #56]         \n"
      "cmp    r0, #0                \n"
      "ittt   ne                    \n"
      "movne  r0, #0                \n"
      "strne  r0, [sp, #88]         \n"
      "strne  r0, [sp, #92]         \n"
      "1:                           \n"
      "ldr    r1, [sp]              \n"
      "ldr    r2, [sp, #8]          \n"
      "ldmia  r1!, {r4-r7}          \n"
      "mov    r8, r4                \n"
      "mov    r9, r5                \n"
      "mov    r10, r6               \n"
      "mov    r11, r7               \n"
      "ldr    r0, [sp, #88]         \n"
      "ldr    r3, [sp, #36]         \n"
      "cmp    r3, #24               \n"
      "beq    2f                    \n"
      "cmp    r0, #1                \n"
      "bhi    5f                    \n"
      "bne    4f                    \n"
      TN_ROWS_OF_ANY("8", "3")
      TN_ROWS_OF_ANY("0", "4")
      TN_ROWS_OF_ANY("16", "5")
      "2:                           \n"
      "cmp    r0, #1                \n"
      "bhi    5f                    \n"
      "bne    4f                    \n"
      TN_ROWS_OF_THREE("8", "3")
      TN_ROWS_OF_THREE("0", "4")
      TN_ROWS_OF_THREE("16", "5")
      "6:                           \n"
      "ldr    r12, [r1, #16]        \n"
      "ldr    r3, [sp, #4]          \n"
      TN_TWO_RESULTS("r4", "r8")
      "lsr    r12, r12, #8          \n"
      TN_TWO_RESULTS("r5", "r9")
      "lsr    r12, r12, #8          \n"
      TN_TWO_RESULTS("r6", "r10")
      "lsr    r12, r12, #8          \n"
      TN_TWO_RESULTS("r7", "r11")
      "ldr    r0, [sp, #80]         \n"
      "ldr    r2, [sp, #92]         \n"
      "ldr    r3, [sp, #44]         \n"
      "add    r1, r0, r2            \n"
      "cmp    r3, #4                \n"
      "blt    7f                    \n"
      "bfi    r4, r5, #8, #24       \n"
      "bfi    r4, r6, #16, #16      \n"
      "bfi    r4, r7, #24, #8       \n"
      "bfi    r8, r9, #8, #24       \n"
      "bfi    r8, r10, #16, #16     \n"
      "bfi    r8, r11, #24, #8      \n"
      "str    r4, [r0]              \n"
      "str    r8, [r1]              \n"
      "b      8f                    \n"
      "7:                           \n" /* one, two or three channels */
      "strb   r4, [r0]              \n"
      "strb   r8, [r1]              \n"
      "cmp    r3, #2                \n"
      "blt    8f                    \n"
      "strb   r5, [r0, #1]          \n"
      "strb   r9, [r1, #1]          \n"
      "itt    gt                    \n"
      "strbgt r6, [r0, #2]          \n"
      "strbgt r10, [r1, #2]         \n"
      "8:                           \n"
      "ldr    r1, [sp, #64]         \n"
      "ldr    r3, [sp, #76]         \n"
      "ldr    r4, [sp, #20]         \n"
      "ldr    r2, [sp, #84]         \n"
      "add    r0, r0, r1            \n"
      "add    r3, r3, r4            \n"
      "subs   r2, r2, #1            \n"
      "strd   r3, r0, [sp, #76]     \n"
      "str    r2, [sp, #84]         \n"
      "bne    9b                    \n"
      "ldr    r0, [sp]              \n"
      "ldrd   r1, r2, [sp, #56]     \n"
      "ldr    r3, [sp, #44]         \n"
      "ldr    r4, [sp, #16]         \n"
      "ldr    r5, [sp, #52]         \n"
      "ldr    r6, [sp, #24]         \n"
      "add    r0, r0, r2            \n"
      "add    r4, r4, r5            \n"
      "add    r6, r6, #4            \n"
      "str    r0, [sp]              \n"
      "str    r4, [sp, #16]         \n"
      "str    r6, [sp, #24]         \n"
      "subs   r3, r3, #4            \n"
      "str    r3, [sp, #44]         \n"
      "bgt    0b                    \n"
      "add    sp, sp, #100          \n"
      "pop    {r4-r11, pc}          \n");
}
#else
TN_LOCAL void tn_taps_of_four(const tn_taps *taps, const uint32_t *k, const int8_t *at, int8_t *out, int32_t channels) {
  const uint32_t *row;
  uint32_t a = k[0], b = k[1], c = k[2], d = k[3];
  k += 4;
  for (row = taps->rows; row != taps->rows_end; row++) {
    const int8_t *values = at + *row;
    const int8_t *const end = values + taps->row_bytes;
    for (; values != end; values += taps->tap_bytes) {
      const uint32_t even = ((const uint32_t *)(const void *)values)[0];
      const uint32_t odd = ((const uint32_t *)(const void *)values)[1];
#if TN_WIDE_TAPS
      a += (uint32_t)(tn_low(even) * tn_low(k[0]));
      b += (uint32_t)(tn_low(odd) * tn_low(k[1]));
      c += (uint32_t)(tn_high(even) * tn_high(k[0]));
      d += (uint32_t)(tn_high(odd) * tn_high(k[1]));
      k += 2;
#else
      a += (uint32_t)(tn_low(even) * tn_byte(*k, 0));
      b += (uint32_t)(tn_low(odd) * tn_byte(*k, 1));
      c += (uint32_t)(tn_high(even) * tn_byte(*k, 2));
      d += (uint32_t)(tn_high(odd) * tn_byte(*k, 3));
      k++;
#endif
    }
  }
  out[0] = tn_result(a, k[0], (uint8_t)k[4], taps->center);
  if (channels > 1) {
    out[1] = tn_result(b, k[1], (uint8_t)(k[4] >> 8), taps->center);
  }
  if (channels > 2) {
    out[2] = tn_result(c, k[2], (uint8_t)(k[4] >> 16), taps->center);
  }
  if (channels > 3) {
    out[3] = tn_result(d, k[3], (uint8_t)(k[4] >> 24), taps->center);
  }
}

TN_LOCAL void tn_two_by_two(const tn_taps *taps) {
  int32_t c, left;
  for (c = 0; c < taps->channels; c += 4) {
    const uint32_t *const k = taps->k + (c >> 2) * (taps->k_bytes >> 2);
    const int8_t *at = taps->at + (c >> 2) * taps->plane;
    int8_t *out = taps->out + c;
    for (left = taps->twos; left > 0; left--) {
      tn_taps_of_four(taps, k, at, out, taps->channels - c);
      if (taps->second > 0 && !(left == 1 && taps->odd)) {
        tn_taps_of_four(taps, k, at + 8 * taps->second, out + taps->pitch, taps->channels - c);
      }
      at += taps->advance;
      out += taps->out_advance;
    }
  }
}
#endif
