/* A function of one value: table[x + 128]. */
typedef struct {
  const int8_t *table;
  uint32_t in, out;
  uint32_t in_row, out_row;
  uint16_t in_rows, out_rows;
  uint16_t middle, inner;
  uint16_t out_middle;
} tn_lookup_layer;

TN_LOCAL void tn_lookup(const void *layer, int8_t *memory, uint16_t first, uint16_t end) {
  const tn_lookup_layer *const l = (const tn_lookup_layer *)layer;
  uint16_t row, m, i;
  for (row = first; row < end; row++) {
    const int8_t *in = memory + l->in + (int32_t)(row % l->in_rows) * (int32_t)l->in_row;
    int8_t *out = memory + l->out + (int32_t)(row % l->out_rows) * (int32_t)l->out_row;
    for (m = 0; m < l->middle; m++) {
      for (i = 0; i < l->inner; i++) {
        out[i] = l->table[*in++ + 128];
      }
      out += l->out_middle;
    }
  }
}
