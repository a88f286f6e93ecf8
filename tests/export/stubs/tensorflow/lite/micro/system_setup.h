// A stand-in for TFLM's header of this name.
#ifndef STUB_SYSTEM_SETUP_H_
#define STUB_SYSTEM_SETUP_H_
namespace tflite {
void InitializeTarget();
}
#endif
