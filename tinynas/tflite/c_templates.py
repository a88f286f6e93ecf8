"""The texts of NAME.h and NAME.cc, with gaps for `str.format`."""

HEADER = """\
/* A neural network for TensorFlow Lite for Microcontrollers, made by tinynas {version}. Do not edit.
 *
 * Compile {name}.cc with the firmware; this header is for C and for C++.
{usage}
 */
#ifndef TINYNAS_{name}_H_
#define TINYNAS_{name}_H_

#include <stdint.h>

#define {NAME}_TINYNAS_VERSION {version_string}
/* SHA-256 of the {length} bytes of the .tflite. */
#define {NAME}_SHA256 "{digest}"

/* The smallest arena in which AllocateTensors() succeeds, for a 16-byte aligned one: {status}. */
#define {NAME}_ARENA_BYTES {arena_bytes}
#define {NAME}_BOARD {board}
#define {NAME}_KERNELS "{kernels}"

/* Input, int8: real = (value - zero point) * scale, and the real values run from 0 to 1. */
#define {NAME}_LAYOUT "{layout}"
#define {NAME}_INPUT_RANK {input_rank}
#define {NAME}_INPUT_SHAPE {{{input_shape}}}
#define {NAME}_INPUT_LENGTH {input_length}
#define {NAME}_INPUT_SCALE {input_scale}
#define {NAME}_INPUT_ZERO_POINT ({input_zero_point})

/* Raw sample ({source_dtype}) to real input: (raw - offset) * scale, clipped to 0 .. 1; {per}. */
#define {NAME}_NORMALIZATION_CHANNELS {n_offsets}

/* Output, int8: one value a class; the greatest is the answer. */
#define {NAME}_CLASSES {n_classes}
#define {NAME}_OUTPUT_SCALE {output_scale}
#define {NAME}_OUTPUT_ZERO_POINT ({output_zero_point})

/* Operators, for tflite::MicroMutableOpResolver<{NAME}_OPERATORS>; true when all were added. */
#define {NAME}_OPERATORS {n_operators}
#define {NAME}_ADD_OPERATORS(r) \\
{calls}

#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char {name}[{length}]; /* 16-byte aligned, in Flash */
extern const unsigned int {name}_len;
extern const char* const {name}_class_names[{n_classes}]; /* UTF-8 */
extern const float {name}_offset[{n_offsets}];
extern const float {name}_scale[{n_offsets}];
{golden}
/* The model's input value for a raw value of a channel. */
static inline int8_t {name}_quantize(float raw, unsigned int channel) {{
  const unsigned int c = {NAME}_NORMALIZATION_CHANNELS == 1 ? 0u : channel;
  float real = (raw - {name}_offset[c]) * {name}_scale[c];
  real = real < 0.0f ? 0.0f : real > 1.0f ? 1.0f : real;
  const int32_t value = (int32_t)(real / {NAME}_INPUT_SCALE + 0.5f) + {NAME}_INPUT_ZERO_POINT;
  return (int8_t)(value > 127 ? 127 : value);
}}

#ifdef __cplusplus
}}
#endif

#endif /* TINYNAS_{name}_H_ */
"""

USAGE = """\
 *
 *   #include "tensorflow/lite/micro/micro_interpreter.h"
 *   #include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
 *   #include "tensorflow/lite/schema/schema_generated.h"
 *
 *   // raw: one sample, {NAME}_INPUT_LENGTH values row by row, the channels of a place together.
 *   alignas(16) static uint8_t arena[{NAME}_ARENA_BYTES];
 *   static tflite::MicroMutableOpResolver<{NAME}_OPERATORS> resolver;
 *   if (!{NAME}_ADD_OPERATORS(resolver)) return false;
 *   static tflite::MicroInterpreter interpreter(tflite::GetModel({name}), resolver, arena, sizeof(arena));
 *   if (interpreter.AllocateTensors() != kTfLiteOk) return false;
 *   for (unsigned int i = 0; i < {NAME}_INPUT_LENGTH; i++)
 *     interpreter.input(0)->data.int8[i] = {name}_quantize(raw[i], i % {channels});
 *   if (interpreter.Invoke() != kTfLiteOk) return false;
 *   const int8_t* scores = interpreter.output(0)->data.int8;  // {NAME}_CLASSES values
 *
 * To test it on the board, feed {name}_golden_input, where there is one, in place of the quantised sample: the scores
 * must be {name}_golden_output, each to one step."""

SOURCE = """\
/* The bytes of the model that {name}.h describes, made by tinynas {version}. Do not edit. */
#include "{name}.h"

alignas(16) const unsigned char {name}[{length}] = {{
{bytes}
}};
const unsigned int {name}_len = {length};

const char* const {name}_class_names[{n_classes}] = {{
{class_names}
}};

const float {name}_offset[{n_offsets}] = {{
{offsets}
}};
const float {name}_scale[{n_offsets}] = {{
{scales}
}};
"""
