/* A map inside a greater one. */
typedef struct {
  uint32_t in, out;
  uint16_t sizes[3], before[3], out_sizes[3];
  int8_t fill;
} tn_pad_layer;

TN_LOCAL void tn_pad(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_pad_layer *const l = (const tn_pad_layer *)layer;
  const int8_t *in = memory + l->in;
  int8_t *out = memory + l->out;
  uint16_t y, x, c;
  (void)first;
  (void)end;
  for (y = 0; y < l->out_sizes[0]; y++) {
    const uint8_t in_row = y >= l->before[0] && y - l->before[0] < l->sizes[0];
    for (x = 0; x < l->out_sizes[1]; x++) {
      const uint8_t in_column = in_row && x >= l->before[1] && x - l->before[1] < l->sizes[1];
      for (c = 0; c < l->out_sizes[2]; c++) {
        const uint8_t inside = in_column && c >= l->before[2] && c - l->before[2] < l->sizes[2];
        *out++ = inside ? *in++ : l->fill;
      }
    }
  }
}
