/* Pools work on four channels at a time; at the end of a pixel these may be fewer, and the next pixel's are read too. */

/* Whether four bytes may be read of every tap's last channel. */
TN_INLINE uint8_t tn_may_read_on(const tn_window *w, const tn_patch *p) {
  const int32_t last = (p->bottom - p->top - 1) * p->row_step + (p->right - p->left - 1) * p->column_step;
  return w->in_rows >= w->height && p->ring_end - p->at >= last + w->channels + 3;
}
