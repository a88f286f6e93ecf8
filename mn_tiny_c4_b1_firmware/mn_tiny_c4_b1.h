/* mn_tiny_c4_b1.tflite, 9264 bytes, as a C array. Made by tinynas 0.1.0: do not edit.
 *
 * For C and for C++. Compile mn_tiny_c4_b1.cc with the firmware; it may be renamed to mn_tiny_c4_b1.c or mn_tiny_c4_b1.cpp.
 */
#ifndef TINYNAS_mn_tiny_c4_b1_H_
#define TINYNAS_mn_tiny_c4_b1_H_

#ifdef __cplusplus
extern "C" {
#endif

/* 16-byte aligned, constant: it stays in Flash. */
extern const unsigned char mn_tiny_c4_b1_tflite[9264];
extern const unsigned int mn_tiny_c4_b1_tflite_len;

#ifdef __cplusplus
}
#endif

#endif /* TINYNAS_mn_tiny_c4_b1_H_ */
