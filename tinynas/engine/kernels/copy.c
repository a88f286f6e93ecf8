/* `outer` times `size` bytes, the copies out_step bytes apart. */
typedef struct {
  uint32_t in, out;
  uint32_t outer, size, out_step;
} tn_copy_layer;

TN_LOCAL void tn_copy(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_copy_layer *const l = (const tn_copy_layer *)layer;
  const int8_t *in = memory + l->in;
  int8_t *out = memory + l->out;
  uint32_t i, k;
  (void)first;
  (void)end;
  for (i = 0; i < l->outer; i++) {
    for (k = 0; k < l->size; k++) {
      out[k] = *in++;
    }
    out += l->out_step;
  }
}
