// The other half of the stand-in: a model that looks its answers up. A table of inputs and outputs, byte for byte,
// comes from table.cc, which the test writes; an input that is not in it is an error of Invoke().
#include <string.h>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_profiler_interface.h"
#include "tensorflow/lite/micro/system_setup.h"

extern "C" {
extern const unsigned int table_rows, table_ends[2], table_arena_bytes;
extern const unsigned int table_input_bytes[], table_output_bytes[];
extern const int table_input_types[], table_output_types[];
extern const uint8_t table_inputs[], table_outputs[];
}

namespace tflite {

#if defined(STUB_LATER_RELEASE)
void micro::InitializeTarget() {}
#else
void InitializeTarget() {}
#endif

MicroInterpreter::MicroInterpreter(const Model* model, const MicroOpResolver& op_resolver, uint8_t* tensor_arena,
                                   size_t tensor_arena_size, MicroResourceVariables*, MicroProfilerInterface* profiler, bool)
    : model_(model), op_resolver_(op_resolver), arena_(tensor_arena), arena_size_(tensor_arena_size),
      profiler_(profiler) {}

MicroInterpreter::~MicroInterpreter() { op_resolver_.at(0); }

// Tensors of `bytes` each, one after the other from `memory` on, 16-byte aligned; where the next one would begin.
static uint8_t* lay(uint8_t* memory, unsigned int count, const unsigned int* bytes, const int* types, TfLiteTensor* to) {
  for (unsigned int i = 0; i < count; ++i) {
    to[i].data.data = memory;
    to[i].type = static_cast<TfLiteType>(types[i]);
    to[i].bytes = bytes[i];
    memory += (bytes[i] + 15) / 16 * 16;
  }
  return memory;
}

static unsigned int sum(unsigned int count, const unsigned int* bytes) {
  unsigned int all = 0;
  for (unsigned int i = 0; i < count; ++i) {
    all += bytes[i];
  }
  return all;
}

TfLiteStatus MicroInterpreter::AllocateTensors() {
  const bool aligned = reinterpret_cast<uintptr_t>(arena_) % 16 == 0 && reinterpret_cast<uintptr_t>(model_) % 16 == 0;
  uint8_t* outputs = lay(arena_, table_ends[0], table_input_bytes, table_input_types, inputs_);
  const uint8_t* end = lay(outputs, table_ends[1], table_output_bytes, table_output_types, outputs_);
  return aligned && arena_size_ >= table_arena_bytes && end <= arena_ + arena_size_ ? kTfLiteOk : kTfLiteError;
}

#ifndef STUB_EVENTS  // operators that are timed: none, as with TF_LITE_STRIP_ERROR_STRINGS
#define STUB_EVENTS 0
#endif

TfLiteStatus MicroInterpreter::Invoke() {
  for (int i = 0; profiler_ != nullptr && i < STUB_EVENTS; ++i) {
    profiler_->EndEvent(profiler_->BeginEvent("OPERATOR"));
  }
  const uint8_t* known = table_inputs;
  const uint8_t* answer = table_outputs;
  for (unsigned int row = 0; row < table_rows; ++row) {
    bool same = true;
    for (unsigned int i = 0; i < table_ends[0]; known += table_input_bytes[i++]) {
      same = same && memcmp(known, inputs_[i].data.data, table_input_bytes[i]) == 0;
    }
    if (!same) {
      answer += sum(table_ends[1], table_output_bytes);
      continue;
    }
    for (unsigned int i = 0; i < table_ends[1]; answer += table_output_bytes[i++]) {
      memcpy(outputs_[i].data.data, answer, table_output_bytes[i]);
    }
    for (unsigned int i = 0; i < table_ends[0]; ++i) {
      memset(inputs_[i].data.data, 0x55, table_input_bytes[i]);  // as in TFLM, where other tensors lie over them
    }
    return kTfLiteOk;
  }
  return kTfLiteError;
}

TfLiteTensor* MicroInterpreter::input(size_t index) { return index < table_ends[0] ? inputs_ + index : nullptr; }
TfLiteTensor* MicroInterpreter::output(size_t index) { return index < table_ends[1] ? outputs_ + index : nullptr; }
size_t MicroInterpreter::arena_used_bytes() const { return table_arena_bytes; }

}  // namespace tflite
