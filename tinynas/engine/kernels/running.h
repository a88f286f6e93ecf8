/* A result a channel of a whole map that comes row by row; rows are counted from the first one on. */
typedef struct {
  uint32_t in, out, sums;
  uint16_t in_rows, rows, width, channels;
  int8_t out_zero, low, high;
  int8_t sign;
  int32_t start;
  int32_t count;
  tn_factor factor;
} tn_running_layer;

TN_LOCAL const int8_t *tn_running_row(const tn_running_layer *l, const int8_t *memory, uint16_t row) {
  return memory + l->in + (int32_t)(row % l->in_rows) * ((int32_t)l->width * l->channels);
}
