/* What firmware must know of mn_tiny_c4_b1.tflite. Made by tinynas 0.1.0: do not edit. For C and for C++. */
#ifndef TINYNAS_mn_tiny_c4_b1_SETTINGS_H_
#define TINYNAS_mn_tiny_c4_b1_SETTINGS_H_

#include <stdint.h>

#define MN_TINY_C4_B1_TINYNAS_VERSION "0.1.0"

/* The .tflite: its bytes in Flash and their SHA-256. */
#define MN_TINY_C4_B1_FLASH_BYTES 9264
#define MN_TINY_C4_B1_SHA256 "dfca43aeeeb8e086232a1ce29e6c1608b01533534539effbf4cba58f750785ff"

/* The tensor arena, in bytes, for a buffer with alignas(16):
 *
 *     alignas(16) static uint8_t arena[MN_TINY_C4_B1_ARENA_BYTES];
 *
 * The minimum is the largest that any kernel library needs on a 32-bit core.
 * It is for 32-bit pointers and the enums of arm-none-eabi-gcc; the margin is for another compiler or a later TFLM.
 * Smallest arena by kernel library: cmsis_nn 2544, cmsis_nn_no_dsp 2544, reference 2464.
 */
#define MN_TINY_C4_B1_ARENA_MINIMUM 2544
#define MN_TINY_C4_B1_ARENA_MARGIN 384
#define MN_TINY_C4_B1_ARENA_BYTES 2928
#define MN_TINY_C4_B1_BOARD "any"
#define MN_TINY_C4_B1_KERNELS "any"

/* Input, int8: real = (value - zero point) * scale. */
#define MN_TINY_C4_B1_LAYOUT "image"
#define MN_TINY_C4_B1_INPUT_RANK 4
#define MN_TINY_C4_B1_INPUT_SHAPE {1, 28, 28, 1}
#define MN_TINY_C4_B1_INPUT_LENGTH 784
#define MN_TINY_C4_B1_INPUT_CHANNELS 1
#define MN_TINY_C4_B1_INPUT_SCALE 0.027315523f
#define MN_TINY_C4_B1_INPUT_ZERO_POINT (15)

/* Output, int8: one value a class; the greatest is the answer. */
#define MN_TINY_C4_B1_OUTPUT_RANK 2
#define MN_TINY_C4_B1_OUTPUT_SHAPE {1, 10}
#define MN_TINY_C4_B1_OUTPUT_LENGTH 10
#define MN_TINY_C4_B1_OUTPUT_SCALE 0.00390625f
#define MN_TINY_C4_B1_OUTPUT_ZERO_POINT (-128)

#define MN_TINY_C4_B1_CLASSES 10
/* UTF-8. */
#define MN_TINY_C4_B1_CLASS_NAMES \
    {"class 0", "class 1", "class 2", "class 3", "class 4", "class 5", "class 6", "class 7", \
    "class 8", "class 9"}

/* How raw values are brought to the model's real inputs is not known: give real inputs to mn_tiny_c4_b1_quantize(). */
#define MN_TINY_C4_B1_NORMALIZATION_PAIRS 0

#ifdef __cplusplus
extern "C" {
#endif

/* The model's input for a raw value of a channel; the channels of a place stand side by side:
 * value number i of a sample is of channel i % MN_TINY_C4_B1_INPUT_CHANNELS. */
static inline int8_t mn_tiny_c4_b1_quantize(float raw, unsigned int channel) {
  const float real = raw;
  float steps = real / MN_TINY_C4_B1_INPUT_SCALE;
  int32_t value;
  (void)channel;
  steps = !(steps > -512.0f) ? -512.0f : steps > 512.0f ? 512.0f : steps;
  value = (int32_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f) + MN_TINY_C4_B1_INPUT_ZERO_POINT;
  return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* The real value of an output: a probability. */
static inline float mn_tiny_c4_b1_dequantize(int8_t output) {
  return (float)(output - MN_TINY_C4_B1_OUTPUT_ZERO_POINT) * MN_TINY_C4_B1_OUTPUT_SCALE;
}

/* The number of the greatest of MN_TINY_C4_B1_CLASSES outputs; of equal ones the first. */
static inline int mn_tiny_c4_b1_best_class(const int8_t* outputs) {
  int best = 0;
  int i;
  for (i = 1; i < MN_TINY_C4_B1_CLASSES; i++) {
    if (outputs[i] > outputs[best]) {
      best = i;
    }
  }
  return best;
}

/* The name of a class; "?" beyond the last. */
static inline const char* mn_tiny_c4_b1_class_name(int number) {
  static const char* const names[MN_TINY_C4_B1_CLASSES] = MN_TINY_C4_B1_CLASS_NAMES;
  return number >= 0 && number < MN_TINY_C4_B1_CLASSES ? names[number] : "?";
}

#ifdef __cplusplus
}
#endif

#endif /* TINYNAS_mn_tiny_c4_b1_SETTINGS_H_ */
