/* A layer that another library runs, from whole values to a whole value beside them. */
typedef struct {
  tinynas_convolution convolution;
  uint32_t in, out;
  void (*run)(const tinynas_convolution *convolution, const int8_t *input, int8_t *output);
} tn_foreign_layer;

TN_LOCAL void tn_foreign(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_foreign_layer *const l = (const tn_foreign_layer *)layer;
  (void)first;
  (void)end;
  l->run(&l->convolution, memory + l->in, memory + l->out);
}
