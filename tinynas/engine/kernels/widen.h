/* Windows of a map, widened to pairs of 16-bit values: every TN_BLOCK-th word is one pixel's. */
typedef struct {
  tn_window window;
  uint16_t groups;
  uint16_t runs;      /* in a row of taps; a run is what lies side by side, padded to whole pairs */
  uint16_t run;       /* values in one */
  uint16_t run_step;  /* bytes from one to the next in the map */
  uint8_t simple;     /* one group, and a row of taps is one run */
  uint8_t quads;      /* of each four values of a run the first pair is 0 and 2, the second 1 and 3; else 0 and 1, ... */
  uint16_t words;     /* of a window, for each group */
  uint32_t scratch;   /* a window's words for each pixel of a block, then a row of taps in bytes */
} tn_widening;

#define TN_BLOCK 4

#if TN_PAIRS
/* Four values from `from`, which moves on, as pairs (0, 2) and (1, 3), or with `then` as (0, 1) and (2, 3). */
#define TN_WIDEN_FOUR(then)               \
  "ldr    %3, [%1], #4      \n"           \
  "sxtb16 %2, %3            \n"           \
  "sxtb16 %3, %3, ror #8    \n" then      \
  "str    %2, [%0], #16     \n"           \
  "str    %3, [%0], #16     \n"
#define TN_WIDEN(text)                                                        \
  do {                                                                        \
    uint32_t even, odd, pair;                                                 \
    __asm__ volatile(text                                                     \
                     : "+r"(to), "+r"(from), "=&r"(even), "=&r"(odd), "=&r"(pair) \
                     :                                                        \
                     : "memory");                                             \
    (void)even, (void)odd, (void)pair;                                        \
  } while (0)
#define TN_WIDEN_QUAD TN_WIDEN(TN_WIDEN_FOUR(""))
#define TN_WIDEN_PAIRS                                       \
  TN_WIDEN(TN_WIDEN_FOUR("pkhbt  %4, %2, %3, lsl #16 \n"     \
                         "pkhtb  %3, %3, %2, asr #16 \n"     \
                         "mov    %2, %4              \n"))
#else
#define TN_WIDEN_FOUR(a, b, c, d)                \
  do {                                           \
    to[0] = tn_pair_of(from[a], from[b]);        \
    to[TN_BLOCK] = tn_pair_of(from[c], from[d]); \
    to += 2 * TN_BLOCK;                          \
    from += 4;                                   \
  } while (0)
#define TN_WIDEN_QUAD TN_WIDEN_FOUR(0, 2, 1, 3)
#define TN_WIDEN_PAIRS TN_WIDEN_FOUR(0, 1, 2, 3)
#endif

/* A run from `from` on. */
TN_INLINE uint32_t *tn_widen(uint32_t *to, const int8_t *from, int32_t length, uint8_t quads) {
  const int8_t *const end = from + (length & ~(int32_t)3);
  if (quads) {
    if (length & 4) {
      TN_WIDEN_QUAD;
    }
    while (from != end) {
      TN_WIDEN_QUAD;
      TN_WIDEN_QUAD;
    }
    return to;
  }
  while (from != end) {
    TN_WIDEN_PAIRS;
  }
  if (length & 2) {
    *to = tn_pair_of(from[0], from[1]);
    to += TN_BLOCK;
    from += 2;
  }
  if (length & 1) {
    *to = tn_pair_of(*from, 0);
    to += TN_BLOCK;
  }
  return to;
}

/* Zero points in place of a run. */
TN_LOCAL uint32_t *tn_widen_outside(const tn_widening *l, uint32_t *to) {
  const uint32_t pair = tn_pair_of(l->window.zero, l->window.zero);
  int32_t length;
  for (length = l->run; length > 0; length -= 2) {
    *to = pair;
    to += TN_BLOCK;
  }
  return to;
}

/* A row of taps from column x on, with zero points where the map has no column. */
TN_LOCAL void tn_row_with_border(const tn_window *w, const int8_t *row, int32_t x, int8_t *to) {
  const int32_t first = x < 0 ? 0 : x * w->channels;
  const int32_t end = x + (int32_t)w->kernel_w < (int32_t)w->width ? x + (int32_t)w->kernel_w : (int32_t)w->width;
  int32_t before = x < 0 ? -x * w->channels : 0, within = end * w->channels - first;
  int32_t after = (x + (int32_t)w->kernel_w - end) * w->channels;
  row += first;
  for (; before > 0; before--) {
    *to++ = w->zero;
  }
  for (; within > 0; within--) {
    *to++ = *row++;
  }
  for (; after > 0; after--) {
    *to++ = w->zero;
  }
}

/* A row of taps of one group. */
TN_LOCAL uint32_t *tn_widen_row(const tn_widening *l, const int8_t *row, int32_t x, uint32_t *to, int8_t *spare) {
  const tn_window *const w = &l->window;
  int32_t tap;
  if (l->runs == 1 && w->kernel_w > 1) {
    const int8_t *from = row + x * w->channels;
    if (x < 0 || x + (int32_t)w->kernel_w > (int32_t)w->width) {
      tn_row_with_border(w, row, x, spare);
      from = spare;
    }
    return tn_widen(to, from, l->run, l->quads);
  }
  for (tap = 0; tap < (int32_t)l->runs; tap++) {
    const int32_t column = x + tap * w->dilation_w;
    if (column >= 0 && column < (int32_t)w->width) {
      to = tn_widen(to, row + column * w->channels, l->run, l->quads);
    } else {
      to = tn_widen_outside(l, to);
    }
  }
  return to;
}

/* A window that reaches beyond the map, or whose taps do not lie side by side: group after group. */
TN_LOCAL void tn_widen_any_window(const tn_widening *l, const int8_t *map, int32_t y, int32_t x, uint32_t *first,
                                int8_t *spare) {
  const tn_window *const w = &l->window;
  const int32_t row_bytes = (int32_t)w->width * w->channels;
  int32_t group, tap, run;
  for (group = 0; group < (int32_t)l->groups; group++) {
    uint32_t *to = first + group * l->words * TN_BLOCK;
    for (tap = 0; tap < (int32_t)w->kernel_h; tap++) {
      const int32_t row = y + tap * w->dilation_h;
      if (row >= 0 && row < (int32_t)w->height) {
        to = tn_widen_row(l, map + group * l->run + row % w->in_rows * row_bytes, x, to, spare);
      } else {
        for (run = 0; run < (int32_t)l->runs; run++) {
          to = tn_widen_outside(l, to);
        }
      }
    }
  }
}
