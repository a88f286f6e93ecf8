// A stand-in for TFLM's header of this name.
#ifndef STUB_SCHEMA_GENERATED_H_
#define STUB_SCHEMA_GENERATED_H_
#include <stdint.h>

namespace tflite {
class Model {
 public:
  uint32_t version() const { return 3; }
};
inline const Model* GetModel(const void* buf) { return static_cast<const Model*>(buf); }
}  // namespace tflite
#endif
