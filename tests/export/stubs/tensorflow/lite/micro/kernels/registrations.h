// The registrations that TFLM has, for the stand-ins: every operator's own, and the int8-only ones of CMSIS-NN.
#ifndef STUB_REGISTRATIONS_H_
#define STUB_REGISTRATIONS_H_
#include "tensorflow/lite/c/common.h"

#define STUB_OPERATORS(X)                                                                                             \
  X(Add, ADD, 0) X(AveragePool2D, AVERAGE_POOL_2D, 1) X(Concatenation, CONCATENATION, 2) X(Conv2D, CONV_2D, 3)        \
  X(DepthwiseConv2D, DEPTHWISE_CONV_2D, 4) X(Dequantize, DEQUANTIZE, 6) X(ExpandDims, EXPAND_DIMS, 70)                \
  X(FullyConnected, FULLY_CONNECTED, 9) X(HardSwish, HARD_SWISH, 117) X(LeakyRelu, LEAKY_RELU, 98)                    \
  X(Logistic, LOGISTIC, 14) X(Maximum, MAXIMUM, 55) X(MaxPool2D, MAX_POOL_2D, 17) X(Mean, MEAN, 40)                   \
  X(Minimum, MINIMUM, 57) X(Mul, MUL, 18) X(Pack, PACK, 83) X(Pad, PAD, 34) X(PadV2, PADV2, 60)                       \
  X(Prelu, PRELU, 54) X(Quantize, QUANTIZE, 114) X(ReduceMax, REDUCE_MAX, 82) X(ReduceMin, REDUCE_MIN, 89)            \
  X(Relu, RELU, 19) X(Relu6, RELU6, 21) X(Reshape, RESHAPE, 22) X(Shape, SHAPE, 77) X(Softmax, SOFTMAX, 25)           \
  X(Squeeze, SQUEEZE, 43) X(StridedSlice, STRIDED_SLICE, 45) X(Sub, SUB, 41) X(Sum, SUM, 74) X(Tanh, TANH, 28)        \
  X(Transpose, TRANSPOSE, 39)
#define STUB_INT8_OPERATORS(X)                                                                                        \
  X(ADD) X(AVERAGE_POOL_2D) X(CONV_2D) X(DEPTHWISE_CONV_2D) X(FULLY_CONNECTED) X(MAX_POOL_2D) X(MUL) X(SOFTMAX)

namespace tflite {
#define STUB_DECLARE(method, NAME, code) \
  inline TFLMRegistration Register_##NAME() { return {code, #NAME}; }
STUB_OPERATORS(STUB_DECLARE)
#undef STUB_DECLARE
#define STUB_DECLARE(NAME) \
  inline TFLMRegistration Register_##NAME##_INT8() { return {Register_##NAME().builtin_code, #NAME " INT8"}; }
STUB_INT8_OPERATORS(STUB_DECLARE)
#undef STUB_DECLARE
}  // namespace tflite
#endif
