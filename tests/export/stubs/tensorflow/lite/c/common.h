// A stand-in for TFLM's header of this name: what the generated sources use of it, with the real signatures.
#ifndef STUB_COMMON_H_
#define STUB_COMMON_H_
#include <stddef.h>
#include <stdint.h>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
enum TfLiteType { kTfLiteNoType = 0, kTfLiteFloat32 = 1, kTfLiteUInt8 = 3, kTfLiteInt8 = 9 };
union TfLitePtrUnion {
  int8_t* int8;
  uint8_t* uint8;
  float* f;
  void* data;
};
struct TfLiteTensor {
  TfLitePtrUnion data;
  TfLiteType type;
  size_t bytes;
};
struct TFLMRegistration {
  int32_t builtin_code;
  const char* kernel;
};
#endif
