/* Values are int8_t in the caller's memory; offsets and sums have 32 bits, whatever an int has. */
typedef char tn_eight_bits_a_byte[CHAR_BIT == 8 ? 1 : -1];
typedef char tn_shifts_keep_the_sign[((int32_t)-5 >> 1) == -3 ? 1 : -1];

/* A positive real factor: multiplier / 2^31 * 2^shift. */
typedef struct {
  int32_t multiplier;
  int8_t shift;
} tn_factor;

/* What stands before every function, such as an attribute that names a section. */
#ifndef TN_CODE
#define TN_CODE
#endif
#define TN_LOCAL TN_CODE static

/* Inner loops become part of what calls them, and what is rare does not. */
#if defined(__GNUC__)
#define TN_INLINE static inline __attribute__((always_inline, unused))
#define TN_APART TN_CODE static __attribute__((noinline))
#else
#define TN_INLINE static inline
#define TN_APART TN_LOCAL
#endif
