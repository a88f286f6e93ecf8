/* Pairs of 16-bit values in a word, where the processor multiplies them. */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define TN_PAIRS 1
typedef struct {
  uint32_t word;
} __attribute__((packed, may_alias)) tn_unaligned;

/* Four bytes at any address. */
TN_INLINE uint32_t tn_word_at(const int8_t *at) {
  return ((const tn_unaligned *)(const void *)at)->word;
}

#define TN_INSTRUCTION(name, text)                               \
  TN_INLINE uint32_t name(uint32_t word) {                   \
    uint32_t pair;                                               \
    __asm__(text : "=r"(pair) : "r"(word));                      \
    return pair;                                                 \
  }
TN_INSTRUCTION(tn_bytes_0_2, "sxtb16 %0, %1")
TN_INSTRUCTION(tn_bytes_1_3, "sxtb16 %0, %1, ror #8")
#undef TN_INSTRUCTION

TN_INLINE uint32_t tn_subtract_pair(uint32_t a, uint32_t b) {
  uint32_t pair;
  __asm__("ssub16 %0, %1, %2" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
}

#define TN_INSTRUCTION(name, text)                                        \
  TN_INLINE uint32_t name(uint32_t sum, uint32_t a, uint32_t b) {     \
    uint32_t result;                                                      \
    __asm__(text : "=r"(result) : "r"(a), "r"(b), "r"(sum));              \
    return result;                                                        \
  }
TN_INSTRUCTION(tn_add_products, "smlad %0, %1, %2, %3")
TN_INSTRUCTION(tn_add_low_product, "smlabb %0, %1, %2, %3")
TN_INSTRUCTION(tn_add_high_product, "smlatt %0, %1, %2, %3")
#undef TN_INSTRUCTION
#else
#define TN_PAIRS 0
#endif
