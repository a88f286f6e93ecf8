// The other half of the stand-in: a model that looks its answers up. A table of inputs and outputs, byte for byte,
// comes from table.cc, which the test writes; an input that is not in it is an error of Invoke().
#include <string.h>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/system_setup.h"

extern "C" {
extern const unsigned int table_rows, table_input_bytes, table_output_bytes, table_arena_bytes;
extern const int table_input_type, table_output_type;
extern const uint8_t table_inputs[], table_outputs[];
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
  const size_t begin = (table_input_bytes + 15) / 16 * 16;
  if (!aligned || arena_size_ < table_arena_bytes || arena_size_ < begin + table_output_bytes) {
    return kTfLiteError;
  }
  input_.data.data = arena_;
  input_.type = static_cast<TfLiteType>(table_input_type);
  input_.bytes = table_input_bytes;
  output_.data.data = arena_ + begin;
  output_.type = static_cast<TfLiteType>(table_output_type);
  output_.bytes = table_output_bytes;
  return kTfLiteOk;
}

TfLiteStatus MicroInterpreter::Invoke() {
  for (unsigned int row = 0; row < table_rows; ++row) {
    if (memcmp(table_inputs + row * table_input_bytes, input_.data.data, table_input_bytes) != 0) {
      continue;
    }
    memcpy(output_.data.data, table_outputs + row * table_output_bytes, table_output_bytes);
    memset(input_.data.data, 0x55, table_input_bytes);  // as in TFLM, where other tensors lie over the input
    return kTfLiteOk;
  }
  return kTfLiteError;
}

TfLiteTensor* MicroInterpreter::input(size_t index) { return index == 0 ? &input_ : nullptr; }
TfLiteTensor* MicroInterpreter::output(size_t index) { return index == 0 ? &output_ : nullptr; }
size_t MicroInterpreter::arena_used_bytes() const { return table_arena_bytes; }

}  // namespace tflite
