#ifndef TINYNAS_FOREIGN_CONVOLUTION
#define TINYNAS_FOREIGN_CONVOLUTION
/* A convolution as TFLM and the libraries of vendors have it. A sum is that of the bias and of weights times
 * (input - in_zero); a result is the sum times multiplier / 2^31 * 2^shift, plus out_zero, within low .. high. */
typedef struct {
  int32_t height, width, channels, out_height, out_width, out_channels;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t groups; /* as many as channels for a depthwise one */
  int32_t in_zero, out_zero, low, high;
  const int8_t *weights; /* [out][kernel_h][kernel_w][in of a group]; depthwise [kernel_h][kernel_w][out] */
  const int32_t *bias, *multipliers, *shifts;
} tinynas_convolution;
#endif
