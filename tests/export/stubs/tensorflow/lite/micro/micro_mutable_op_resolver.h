// A stand-in for TFLM's header of this name: it keeps what is added, and refuses what is too much or there already.
#ifndef STUB_MICRO_MUTABLE_OP_RESOLVER_H_
#define STUB_MICRO_MUTABLE_OP_RESOLVER_H_
#include "tensorflow/lite/micro/kernels/registrations.h"

namespace tflite {

class MicroOpResolver {
 public:
  virtual const TFLMRegistration* at(unsigned int index) const = 0;

 protected:
  ~MicroOpResolver() = default;
};

template <unsigned int tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  explicit MicroMutableOpResolver() {}

#define STUB_DECLARE(method, NAME, code)                                               \
  TfLiteStatus Add##method(const TFLMRegistration& registration = Register_##NAME()) { \
    return registration.builtin_code == code ? Keep(registration) : kTfLiteError;      \
  }
  STUB_OPERATORS(STUB_DECLARE)
#undef STUB_DECLARE

  unsigned int GetRegistrationLength() { return length_; }
  const TFLMRegistration* at(unsigned int index) const override {
    return index < length_ ? &registrations_[index] : nullptr;
  }

 private:
  TfLiteStatus Keep(const TFLMRegistration& registration) {
    for (unsigned int i = 0; i < length_; ++i) {
      if (registrations_[i].builtin_code == registration.builtin_code) {
        return kTfLiteError;
      }
    }
    if (length_ >= tOpCount) {
      return kTfLiteError;
    }
    registrations_[length_++] = registration;
    return kTfLiteOk;
  }

  TFLMRegistration registrations_[tOpCount] = {};
  unsigned int length_ = 0;
};

}  // namespace tflite
#endif
