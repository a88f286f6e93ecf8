/* Golden samples for mn_tiny_c4_b1.tflite, and a self-test. Made by tinynas 0.1.0: do not edit.
 *
 * 8 inputs and the outputs of TFLM's arithmetic in Python (TFLM itself was not available) for them; 6352 bytes of Flash.
 */
#ifndef TINYNAS_mn_tiny_c4_b1_TEST_H_
#define TINYNAS_mn_tiny_c4_b1_TEST_H_

#include <stdint.h>

#define MN_TINY_C4_B1_TEST_SAMPLES 8

/* By how much an output may be off, in steps: the kernels of this board have been measured, and are exact. */
#ifndef MN_TINY_C4_B1_TEST_TOLERANCE
#define MN_TINY_C4_B1_TEST_TOLERANCE 0
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern const int8_t mn_tiny_c4_b1_test_inputs[MN_TINY_C4_B1_TEST_SAMPLES][784];
extern const int8_t mn_tiny_c4_b1_test_outputs[MN_TINY_C4_B1_TEST_SAMPLES][10];

#ifdef __cplusplus
}

#include "tensorflow/lite/micro/micro_interpreter.h"

/* Runs every sample in an interpreter whose tensors are allocated. Returns the number of mismatches: outputs that are
 * off by more than the tolerance; all outputs of a sample where the model does not run. 0 is a pass. */
int mn_tiny_c4_b1_self_test(tflite::MicroInterpreter& interpreter);
#endif

#endif /* TINYNAS_mn_tiny_c4_b1_TEST_H_ */
