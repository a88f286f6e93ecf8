/* One output pixel: the taps [top, bottom) x [left, right) lie inside the map; `at` is the first of them. */
typedef struct {
  const int8_t *at;
  const int8_t *ring_end;
  int32_t row_step, column_step, ring_bytes;
  uint16_t top, bottom, left, right;
  int8_t *out;
} tn_patch;

typedef void (*tn_pixel)(const void *layer, const tn_patch *patch);

/* The taps that lie inside a map of `size`, for a window that starts at `start`. */
TN_LOCAL void tn_inside(int32_t start, uint16_t size, uint16_t kernel, uint16_t dilation, uint16_t *first, uint16_t *end) {
  *first = (uint16_t)(start < 0 ? (-start + dilation - 1) / dilation : 0);
  *end = kernel;
  while (*end > *first && start + (int32_t)(*end - 1) * dilation >= (int32_t)size) {
    (*end)--;
  }
}

TN_LOCAL const int8_t *tn_next_row(const tn_patch *patch, const int8_t *row) {
  row += patch->row_step;
  return row >= patch->ring_end ? row - patch->ring_bytes : row;
}

/* Calls `pixel` for every pixel of the output rows first .. end - 1. */
TN_LOCAL void tn_slide(const tn_window *w, const void *layer, int8_t *memory, uint16_t first, uint16_t end,
                     tn_pixel pixel) {
  const int32_t row_bytes = (int32_t)w->width * w->channels, step = w->backwards ? -1 : 1;
  const int32_t last_inside = (int32_t)w->width - (int32_t)(w->kernel_w - 1) * w->dilation_w - 1;
  int32_t row = w->backwards ? end - 1 : first, rows = end - first, columns;
  tn_patch patch;
  patch.ring_bytes = row_bytes * w->in_rows;
  patch.ring_end = memory + w->in + patch.ring_bytes;
  patch.row_step = row_bytes * w->dilation_h;
  patch.column_step = (int32_t)w->dilation_w * w->channels;
  for (; rows > 0; rows--) {
    const int32_t y = row * w->stride_h - w->pad_top, column = w->backwards ? w->out_width - 1 : 0;
    int32_t x = column * w->stride_w - w->pad_left;
    const int8_t *at;
    patch.out = memory + w->out + row % w->out_rows * (int32_t)w->out_row + column * w->out_pixel;
    tn_inside(y, w->height, w->kernel_h, w->dilation_h, &patch.top, &patch.bottom);
    at = memory + w->in + ((y + (int32_t)patch.top * w->dilation_h) % w->in_rows) * row_bytes;
    for (columns = w->out_width; columns > 0; columns--) {
      patch.left = 0;
      patch.right = w->kernel_w;
      if (x < 0 || x > last_inside) {
        tn_inside(x, w->width, w->kernel_w, w->dilation_w, &patch.left, &patch.right);
      }
      patch.at = at + (x + (int32_t)patch.left * w->dilation_w) * w->channels;
      pixel(layer, &patch);
      x += step * w->stride_w;
      patch.out += step * w->out_pixel;
    }
    row += step;
  }
}
