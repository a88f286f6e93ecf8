/* Layers that run row by row: before a row is made, the rows that it reads are made, one at a time. Values in between
 * are rings of few rows. */
typedef struct {
  void (*run)(const void *layer, int8_t *memory, uint16_t first, uint16_t end);
  const void *layer;
  uint16_t rows;            /* made in all */
  uint16_t in_rows;         /* there are of the input */
  uint16_t reach, stride, pad;
  uint8_t sources[2];       /* the stages that make the inputs; TN_INPUT is there from the start */
  uint8_t wanted;           /* something needs all of its rows */
} tn_stage;

#define TN_INPUT 255

/* How many rows of its inputs a stage needs for its row `row`. */
TN_LOCAL uint16_t tn_rows_needed(const tn_stage *stage, uint16_t row) {
  const int32_t needed = (int32_t)row * stage->stride - stage->pad + stage->reach;
  return (uint16_t)(needed > (int32_t)stage->in_rows ? stage->in_rows : needed);
}

TN_LOCAL void tn_stream(const tn_stage *stages, uint8_t n_stages, int8_t *memory, uint16_t *done) {
  uint8_t s, next, k;
  for (s = 0; s < n_stages; s++) {
    done[s] = 0;
  }
  do {
    uint32_t wanted = 0; /* a bit a stage */
    next = n_stages;
    for (s = n_stages; next == n_stages && s-- > 0;) {
      const tn_stage *const stage = &stages[s];
      if (done[s] < stage->rows && (stage->wanted || (wanted >> s & 1u))) {
        const uint16_t needed = tn_rows_needed(stage, done[s]);
        next = s;
        for (k = 0; k < 2; k++) {
          const uint8_t source = stage->sources[k];
          if (source != TN_INPUT && done[source] < needed) {
            wanted |= (uint32_t)1 << source;
            next = n_stages;
          }
        }
      }
    }
    if (next < n_stages) {
      stages[next].run(stages[next].layer, memory, done[next], (uint16_t)(done[next] + 1));
      done[next]++;
      TN_LAYER_HOOK(next);
    }
  } while (next < n_stages);
}
