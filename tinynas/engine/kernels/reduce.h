/* For each of kept_sizes: over all of reduced_sizes. Steps are bytes. */
typedef struct {
  uint32_t in, out;
  uint16_t kept_sizes[2], reduced_sizes[2];
  uint32_t kept_steps[2], reduced_steps[2];
  int8_t out_zero;
  int8_t sign;
  int32_t correction;
  tn_factor factor;
} tn_reduce_layer;

typedef int32_t (*tn_reduction)(const tn_reduce_layer *l, const int8_t *in);

TN_LOCAL void tn_each_kept(const tn_reduce_layer *l, int8_t *memory, tn_reduction reduction) {
  const int8_t *outer = memory + l->in;
  int8_t *out = memory + l->out;
  uint16_t i, j;
  for (i = 0; i < l->kept_sizes[0]; i++) {
    const int8_t *inner = outer;
    for (j = 0; j < l->kept_sizes[1]; j++) {
      *out++ = tn_clamp(reduction(l, inner), -128, 127);
      inner += l->kept_steps[1];
    }
    outer += l->kept_steps[0];
  }
}
