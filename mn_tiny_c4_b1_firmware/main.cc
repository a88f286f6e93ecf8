// Sets mn_tiny_c4_b1 up, runs its self-test and the golden samples, and prints. Made by tinynas 0.1.0: a start to build on.
//
// It is a whole program where there is a main() to be had, and a sketch under Arduino. Where the project has its own
// main() (STM32CubeIDE), compile with -DTINYNAS_NO_MAIN and call mn_tiny_c4_b1_demo() from it.
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#if defined(ARDUINO)
#include <Arduino.h>
#endif

#include "mn_tiny_c4_b1.h"
#include "mn_tiny_c4_b1_ops.h"
#include "mn_tiny_c4_b1_settings.h"
#include "mn_tiny_c4_b1_test.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" int mn_tiny_c4_b1_demo(void);

namespace tflite {
namespace micro {}
}  // namespace tflite

namespace {

// What the board needs before TFLM runs; its namespace is not the same in every release.
void initialize_target() {
  using namespace tflite;
  using namespace tflite::micro;
  InitializeTarget();
}

// TFLM keeps all tensors and its own records here.
alignas(16) uint8_t arena[MN_TINY_C4_B1_ARENA_BYTES];

// printf to the console, or to Arduino's serial line. Nothing here prints a float: small C libraries cannot.
void say(const char* format, ...) {
  char line[160];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
#if defined(ARDUINO)
  Serial.print(line);
#else
  fputs(line, stdout);
#endif
}

// Runs a golden sample; false when the model does not run.
// From raw values: input[i] = mn_tiny_c4_b1_quantize(raw[i], i % MN_TINY_C4_B1_INPUT_CHANNELS).
bool run(tflite::MicroInterpreter& interpreter, int sample) {
  int8_t* input = interpreter.input(0)->data.int8;
  for (int i = 0; i < MN_TINY_C4_B1_INPUT_LENGTH; ++i) {
    input[i] = mn_tiny_c4_b1_test_inputs[sample][i];
  }
  return interpreter.Invoke() == kTfLiteOk;
}

// What the model makes of a sample.
void show(int sample, const int8_t* outputs) {
  const int found = mn_tiny_c4_b1_best_class(outputs);
  const int percent = (int)(100.0f * mn_tiny_c4_b1_dequantize(outputs[found]) + 0.5f);
  say("mn_tiny_c4_b1: sample %d is of class %d, %s (%d %%)\n", sample, found, mn_tiny_c4_b1_class_name(found), percent);
}

}  // namespace

// Returns 0 when all went well, 1 when not.
int mn_tiny_c4_b1_demo(void) {
  initialize_target();
  const tflite::Model* model = tflite::GetModel(mn_tiny_c4_b1_tflite);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    say("mn_tiny_c4_b1: the file is of schema %d, TFLM reads %d\n", static_cast<int>(model->version()), TFLITE_SCHEMA_VERSION);
    return 1;
  }
  mn_tiny_c4_b1_op_resolver resolver;
  if (mn_tiny_c4_b1_add_operators(resolver) != kTfLiteOk) {
    say("mn_tiny_c4_b1: an operator could not be added\n");
    return 1;
  }
  tflite::MicroInterpreter interpreter(model, resolver, arena, sizeof(arena));
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    say("mn_tiny_c4_b1: AllocateTensors() failed; is the arena of %d bytes too small for this build of TFLM?\n",
        static_cast<int>(sizeof(arena)));
    return 1;
  }
  say("mn_tiny_c4_b1: %d bytes of model, %d of %d bytes of arena used\n", MN_TINY_C4_B1_FLASH_BYTES,
      static_cast<int>(interpreter.arena_used_bytes()), static_cast<int>(sizeof(arena)));

  const int mismatches = mn_tiny_c4_b1_self_test(interpreter);
  say("mn_tiny_c4_b1: self-test of %d samples: %d mismatches: %s\n", MN_TINY_C4_B1_TEST_SAMPLES, mismatches,
      mismatches == 0 ? "PASS" : "FAIL");

  for (int sample = 0; sample < MN_TINY_C4_B1_TEST_SAMPLES; ++sample) {
    if (!run(interpreter, sample)) {
      say("mn_tiny_c4_b1: sample %d: Invoke() failed\n", sample);
      return 1;
    }
    show(sample, interpreter.output(0)->data.int8);
  }
  return mismatches == 0 ? 0 : 1;
}

#if defined(ARDUINO)
void setup() {
  Serial.begin(115200);
  for (int waited = 0; !Serial && waited < 3000; waited += 10) {
    delay(10);
  }
  mn_tiny_c4_b1_demo();
}

void loop() {}
#elif !defined(TINYNAS_NO_MAIN)
int main() {
  const int failed = mn_tiny_c4_b1_demo();
  fflush(stdout);
  return failed;
}
#endif
