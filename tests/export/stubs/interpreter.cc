// The other half of the stand-in: a model that looks its answers up. A table of inputs and outputs comes from
// table.cc, which the test writes; an input that is not in it is an error of Invoke().
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/system_setup.h"

extern "C" {
extern const unsigned int table_rows, table_input_length, table_output_length, table_arena_bytes;
extern const int8_t table_inputs[], table_outputs[];
}

namespace tflite {

#if defined(STUB_LATER_RELEASE)
void micro::InitializeTarget() {}
#else
void InitializeTarget() {}
#endif

MicroInterpreter::MicroInterpreter(const Model* model, const MicroOpResolver& op_resolver, uint8_t* tensor_arena,
                                   size_t tensor_arena_size, MicroResourceVariables*, MicroProfilerInterface*, bool)
    : model_(model), op_resolver_(op_resolver), arena_(tensor_arena), arena_size_(tensor_arena_size) {}

MicroInterpreter::~MicroInterpreter() { op_resolver_.at(0); }

TfLiteStatus MicroInterpreter::AllocateTensors() {
  const bool aligned = reinterpret_cast<uintptr_t>(arena_) % 16 == 0 && reinterpret_cast<uintptr_t>(model_) % 16 == 0;
  if (!aligned || arena_size_ < table_arena_bytes || arena_size_ < table_input_length + table_output_length) {
    return kTfLiteError;
  }
  int8_t* memory = reinterpret_cast<int8_t*>(arena_);
  input_ = {{memory}, kTfLiteInt8, table_input_length};
  output_ = {{memory + table_input_length}, kTfLiteInt8, table_output_length};
  return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
  for (unsigned int row = 0; row < table_rows; ++row) {
    const int8_t* known = table_inputs + row * table_input_length;
    unsigned int same = 0;
    while (same < table_input_length && known[same] == input_.data.int8[same]) {
      ++same;
    }
    if (same < table_input_length) {
      continue;
    }
    for (unsigned int i = 0; i < table_output_length; ++i) {
      output_.data.int8[i] = table_outputs[row * table_output_length + i];
    }
    for (unsigned int i = 0; i < table_input_length; ++i) {
      input_.data.int8[i] = 0x55;  // as in TFLM, where other tensors lie over the input
    }
    return kTfLiteOk;
  }
  return kTfLiteError;
}

TfLiteTensor* MicroInterpreter::input(size_t index) { return index == 0 ? &input_ : nullptr; }
TfLiteTensor* MicroInterpreter::output(size_t index) { return index == 0 ? &output_ : nullptr; }
size_t MicroInterpreter::arena_used_bytes() const { return table_arena_bytes; }

}  // namespace tflite
