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
  tn_factor factors[3];
} tn_pair_layer;

typedef int32_t (*tn_pairing)(const tn_pair_layer *l, int32_t a, int32_t b);

static const int8_t *tn_operand_row(const tn_operand *operand, const int8_t *memory, uint16_t row) {
  const int8_t *const start = operand->constant ? operand->constant : memory + operand->in;
  return start + (int32_t)(row % operand->rows) * (int32_t)operand->row_step;
}

static void tn_each_pair(const tn_pair_layer *l, int8_t *memory, uint16_t first, uint16_t end, tn_pairing pairing) {
  uint16_t row, m, i;
  for (row = first; row < end; row++) {
    const int8_t *a_row = tn_operand_row(&l->operands[0], memory, row);
    const int8_t *b_row = tn_operand_row(&l->operands[1], memory, row);
    int8_t *out = memory + l->out + (int32_t)(row % l->out_rows) * (int32_t)l->out_row;
    for (m = 0; m < l->middle; m++) {
      const int8_t *a = a_row, *b = b_row;
      for (i = 0; i < l->inner; i++) {
        out[i] = tn_clamp(pairing(l, (int32_t)*a - l->operands[0].zero, (int32_t)*b - l->operands[1].zero) + l->out_zero,
                          l->low, l->high);
        a += l->operands[0].step;
        b += l->operands[1].step;
      }
      a_row += l->operands[0].middle_step;
      b_row += l->operands[1].middle_step;
      out += l->out_middle;
    }
  }
}
