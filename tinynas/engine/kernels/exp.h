/* exp of a whole number of steps below 0, Q0.31: a table of its values would take more Flash. The steps are scaled to
 * 5 bits before the point; exp of what is left modulo 1/4 is a polynomial, and the quarters are factors. */
#define TN_EXP 1
static const int32_t tn_exps_of_powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};

TN_APART int32_t tn_exp(int32_t steps, int32_t multiplier, uint8_t shift) {
  const int32_t x = tn_high_product((int32_t)((uint32_t)-steps << shift), multiplier);
  const int32_t within = (x & 0xFFFFFF) - 0x1000000, quarters = (within - x) >> 24;
  const int32_t t = within * 32 + ((int32_t)1 << 28), square = tn_high_product(t, t);
  const int32_t cube = tn_high_product(square, t), fourth = tn_high_product(square, square);
  const int32_t third = tn_high_product(((fourth + 2) >> 2) + cube, 715827883);
  int32_t result = 1895147668 + tn_high_product(1895147668, t + ((third + square + 1) >> 1));
  uint8_t k;
  for (k = 0; k < 7; k++) {
    if (quarters >> k & 1) {
      result = tn_high_product(result, tn_exps_of_powers[k]);
    }
  }
  return x == 0 ? INT32_MAX : result;
}
