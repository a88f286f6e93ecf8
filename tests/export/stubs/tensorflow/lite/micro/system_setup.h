// A stand-in for TFLM's header of this name.
#ifndef STUB_SYSTEM_SETUP_H_
#define STUB_SYSTEM_SETUP_H_
namespace tflite {
#if defined(STUB_LATER_RELEASE)
namespace micro {
void InitializeTarget();
}
#else
void InitializeTarget();
#endif
}  // namespace tflite
#endif
