/* One operand of an operator of two: in memory, or constant. Steps are bytes; 0 where it is the same for all. */
typedef struct {
  const int8_t *constant;
  uint32_t in;
  uint16_t rows;
  uint32_t row_step;
  uint16_t middle_step;
  uint8_t step;
  int8_t zero;
} tn_operand;

/* Rows of `middle` times `inner` elements. */
typedef struct {
  tn_operand operands[2];
  uint32_t out;
  uint32_t out_row;
  uint16_t out_middle;
  uint16_t out_rows;
  uint16_t middle, inner;
  int8_t out_zero, low, high;
  int8_t sign;
  uint8_t quick; /* see tn_quick_sums */
  tn_factor factors[3];
} tn_pair_layer;

/* Makes `inner` results of operands from `a` and `b` on. */
typedef void (*tn_pairing)(const tn_pair_layer *l, const int8_t *a, const int8_t *b, int8_t *out);

TN_LOCAL const int8_t *tn_operand_row(const tn_operand *operand, const int8_t *memory, uint16_t row) {
  const int8_t *const start = operand->constant ? operand->constant : memory + operand->in;
  return start + (int32_t)(row % operand->rows) * (int32_t)operand->row_step;
}

TN_LOCAL void tn_each_pair(const tn_pair_layer *l, int8_t *memory, uint16_t first, uint16_t end, tn_pairing pairing) {
  int32_t row, m;
  for (row = first; row < (int32_t)end; row++) {
    const int8_t *a = tn_operand_row(&l->operands[0], memory, (uint16_t)row);
    const int8_t *b = tn_operand_row(&l->operands[1], memory, (uint16_t)row);
    int8_t *out = memory + l->out + row % l->out_rows * (int32_t)l->out_row;
    for (m = l->middle; m > 0; m--) {
      pairing(l, a, b, out);
      a += l->operands[0].middle_step;
      b += l->operands[1].middle_step;
      out += l->out_middle;
    }
  }
}
