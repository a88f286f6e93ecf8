/* Pairs of 16-bit values in a word, the first in its low half: by Arm's instructions (TN_PAIRS), or in plain C. */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__) && !defined(__ARM_BIG_ENDIAN)
#define TN_PAIRS 1
typedef struct {
  uint32_t word;
} __attribute__((packed, may_alias)) tn_unaligned;

/* Four bytes at any address, the first in the lowest bits. */
TN_INLINE uint32_t tn_word_at(const int8_t *at) {
  return ((const tn_unaligned *)(const void *)at)->word;
}

TN_INLINE void tn_put_word(int8_t *at, uint32_t word) {
  ((tn_unaligned *)(void *)at)->word = word;
}

#define TN_INSTRUCTION(name, text)         \
  TN_INLINE uint32_t name(uint32_t word) { \
    uint32_t result;                       \
    __asm__(text : "=r"(result) : "r"(word)); \
    return result;                         \
  }
TN_INSTRUCTION(tn_bytes_0_2, "sxtb16 %0, %1")
TN_INSTRUCTION(tn_bytes_1_3, "sxtb16 %0, %1, ror #8")
TN_INSTRUCTION(tn_sign, "asr %0, %1, #31")
TN_INSTRUCTION(tn_saturated, "ssat %0, #8, %1")
#undef TN_INSTRUCTION

#define TN_INSTRUCTION(name, text)                  \
  TN_INLINE uint32_t name(uint32_t a, uint32_t b) { \
    uint32_t result;                                \
    __asm__(text : "=r"(result) : "r"(a), "r"(b));  \
    return result;                                  \
  }
TN_INSTRUCTION(tn_subtract_pair, "ssub16 %0, %1, %2")
TN_INSTRUCTION(tn_add_bytes_0_2, "sxtab16 %0, %1, %2")
TN_INSTRUCTION(tn_add_bytes_1_3, "sxtab16 %0, %1, %2, ror #8")
TN_INSTRUCTION(tn_high_word, "smmulr %0, %1, %2")
TN_INSTRUCTION(tn_shifted, "asr %0, %1, %2")
#undef TN_INSTRUCTION

TN_INLINE uint32_t tn_greater_bytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n sel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b));
  return result;
}

#define TN_INSTRUCTION(name, text)                                    \
  TN_INLINE uint32_t name(uint32_t sum, uint32_t a, uint32_t b) {     \
    uint32_t result;                                                  \
    __asm__(text : "=r"(result) : "r"(a), "r"(b), "r"(sum));          \
    return result;                                                    \
  }
TN_INSTRUCTION(tn_add_products, "smlad %0, %1, %2, %3")
TN_INSTRUCTION(tn_add_low_product, "smlabb %0, %1, %2, %3")
TN_INSTRUCTION(tn_add_high_product, "smlatt %0, %1, %2, %3")
#undef TN_INSTRUCTION
#else
#define TN_PAIRS 0
TN_INLINE int32_t tn_low(uint32_t pair) {
  return (int16_t)pair;
}

TN_INLINE int32_t tn_high(uint32_t pair) {
  return (int16_t)(pair >> 16);
}

TN_INLINE int32_t tn_byte(uint32_t word, uint8_t which) {
  return (int8_t)(word >> 8 * which);
}

TN_INLINE uint32_t tn_word_at(const int8_t *at) {
  return (uint8_t)at[0] | (uint32_t)(uint8_t)at[1] << 8 | (uint32_t)(uint8_t)at[2] << 16 | (uint32_t)(uint8_t)at[3] << 24;
}

TN_INLINE uint32_t tn_bytes_0_2(uint32_t word) {
  return ((uint32_t)tn_byte(word, 0) & 0xFFFFu) | (uint32_t)tn_byte(word, 2) << 16;
}

TN_INLINE uint32_t tn_bytes_1_3(uint32_t word) {
  return tn_bytes_0_2(word >> 8);
}
#endif

TN_INLINE uint32_t tn_pair_of(int8_t low, int8_t high) {
  return ((uint32_t)(int32_t)low & 0xFFFFu) | (uint32_t)(int32_t)high << 16;
}
