/* The results of the output rows first .. end - 1 brought within the window's limits. */
TN_LOCAL void tn_limit_rows(const tn_window *w, int8_t *memory, uint16_t first, uint16_t end) {
  int32_t row, column;
  if (w->low > -128 || w->high < 127) {
    for (row = first; row < (int32_t)end; row++) {
      int8_t *out = memory + w->out + row % w->out_rows * (int32_t)w->out_row;
      for (column = 0; column < (int32_t)w->out_width; column++) {
        tn_limit(out, w->out_channels, w->low, w->high);
        out += w->out_pixel;
      }
    }
  }
}
