// The operators of mn_tiny_c4_b1.tflite, and no others, for TFLM's resolver. Made by tinynas 0.1.0: do not edit. C++17.
#ifndef TINYNAS_mn_tiny_c4_b1_OPS_H_
#define TINYNAS_mn_tiny_c4_b1_OPS_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

#define MN_TINY_C4_B1_OPERATORS 4

using mn_tiny_c4_b1_op_resolver = tflite::MicroMutableOpResolver<MN_TINY_C4_B1_OPERATORS>;

// Adds them to a resolver that has room for them, which may be larger; kTfLiteError when one cannot be added.
// A kernel for int8 alone is smaller; where TFLM's kernel library has none, the name stands for the full kernel.
template <unsigned int kRoom>
inline TfLiteStatus mn_tiny_c4_b1_add_operators(tflite::MicroMutableOpResolver<kRoom>& resolver) {
  static_assert(kRoom >= MN_TINY_C4_B1_OPERATORS, "the resolver has too little room for the model's operators");
  // CONV_2D, int8 only
  if (resolver.AddConv2D(tflite::Register_CONV_2D_INT8()) != kTfLiteOk) {
    return kTfLiteError;
  }
  // RESHAPE
  if (resolver.AddReshape() != kTfLiteOk) {
    return kTfLiteError;
  }
  // FULLY_CONNECTED, int8 only
  if (resolver.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8()) != kTfLiteOk) {
    return kTfLiteError;
  }
  // SOFTMAX, int8 only
  if (resolver.AddSoftmax(tflite::Register_SOFTMAX_INT8()) != kTfLiteOk) {
    return kTfLiteError;
  }
  return kTfLiteOk;
}

#endif  // TINYNAS_mn_tiny_c4_b1_OPS_H_
