/* The output in order; the element of indices i has its place at start + sum of i * steps in the input. */
typedef struct {
  uint32_t in, out;
  uint16_t sizes[4];
  int32_t steps[4];
} tn_gather_layer;

TN_LOCAL void tn_gather(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_gather_layer *const l = (const tn_gather_layer *)layer;
  const int8_t *const in = memory + l->in;
  int8_t *out = memory + l->out;
  uint16_t a, b, c, d;
  (void)first;
  (void)end;
  for (a = 0; a < l->sizes[0]; a++) {
    for (b = 0; b < l->sizes[1]; b++) {
      for (c = 0; c < l->sizes[2]; c++) {
        const int32_t start = a * l->steps[0] + b * l->steps[1] + c * l->steps[2];
        for (d = 0; d < l->sizes[3]; d++) {
          *out++ = in[start + d * l->steps[3]];
        }
      }
    }
  }
}
