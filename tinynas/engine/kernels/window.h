/* A window that slides over a map of rows, columns and channels. in_rows and out_rows are how many rows the memory
 * holds: the map's, or fewer, which then follow one another in a ring. */
typedef struct {
  uint32_t in, out;
  uint32_t out_row;
  uint16_t out_pixel;
  uint16_t in_rows, out_rows;
  uint16_t height, width, channels;
  uint16_t out_width, out_channels;
  uint16_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  uint16_t pad_top, pad_left;
  uint8_t backwards;
  int8_t zero, out_zero, low, high;
} tn_window;
