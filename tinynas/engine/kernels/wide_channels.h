/* The same where weights have 16 bits in Flash, two of a channel in a word: no time to widen them, for more bytes. */
#define TN_WIDE_CHANNELS 1

#if TN_PAIRS
#define TN_WIDE_WORD "ldrd   r2, r3, [r1], #8      \n" TN_PRODUCTS

TN_LOCAL __attribute__((naked, noinline)) void tn_wide_channels(__attribute__((unused)) tn_block *block,
                                                              __attribute__((unused)) const uint32_t *end) {
  __asm__ volatile(TN_CHANNELS(TN_WIDE_WORD));
}
#else
TN_LOCAL void tn_wide_channels(tn_block *block, const uint32_t *end) {
  tn_all_channels(block, end, 1);
}
#endif
