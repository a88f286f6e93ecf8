// A stand-in for TFLM's header of this name, which the resolver's header does not include.
#ifndef STUB_PAD_H_
#define STUB_PAD_H_
#include "tensorflow/lite/micro/kernels/registrations.h"

namespace tflite {
inline TFLMRegistration Register_PAD_INT8() { return {Register_PAD().builtin_code, "PAD INT8"}; }
}  // namespace tflite
#endif
