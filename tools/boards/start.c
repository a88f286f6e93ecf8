/* Start-up of the emulated boards, their instruction counter, and a way to print: semihosting. Every vector but the
 * first two ends the program, so that a fault is a failure and no hang. */
#include <stdint.h>

extern uint32_t board_data[], board_data_end[], board_data_source[], board_bss[], board_bss_end[], board_stack[];
int main(void);

static void semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void board_print(const char *text) { semihosting(4, text); }

void board_exit(int failed) { semihosting(0x18, (const void *)(failed ? 0x20024 : 0x20026)); }

static void fault(void) {
  board_print("fault\n");
  board_exit(1);
  for (;;) {
  }
}

void board_number(uint32_t value) {
  char digits[12];
  int k = 11;
  digits[k] = 0;
  do {
    digits[--k] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  board_print(digits + k);
}

#if defined(SYSTICK)
/* 24 bits that count down; a wrap is counted where it is looked at often enough. */
#define TIMER ((volatile uint32_t *)0xE000E010)
static uint32_t ticks, last;
void board_start(void) {
  TIMER[1] = 0xFFFFFF;
  TIMER[2] = 0;
  TIMER[0] = 5;
  ticks = 0;
  last = TIMER[2];
}
uint32_t board_ticks(void) {
  const uint32_t now = TIMER[2];
  ticks += (last - now) & 0xFFFFFF;
  last = now;
  return ticks;
}
#else
#define TIMER ((volatile uint32_t *)CMSDK_TIMER)
void board_start(void) {
  TIMER[0] = 0;
  TIMER[1] = 0xFFFFFFFF;
  TIMER[2] = 0xFFFFFFFF;
  TIMER[0] = 1;
}
uint32_t board_ticks(void) { return 0xFFFFFFFF - TIMER[1]; }
#endif

#define PAINT 0xC0DEC0DEu
static uint32_t *painted_below;

/* Paints the free stack; what is spoilt afterwards has been used. */
void board_paint(uint32_t bytes) {
  uint32_t here;
  volatile uint32_t *p = &here - 8;
  painted_below = &here - 8;
  for (; p > painted_below - bytes / 4; p--) {
    *p = PAINT;
  }
}

uint32_t board_stack_used(uint32_t bytes) {
  uint32_t *p = painted_below - bytes / 4 + 1;
  while (p < painted_below && *p == PAINT) {
    p++;
  }
  return (uint32_t)(painted_below - p) * 4;
}

void *memcpy(void *to, const void *from, unsigned int bytes) {
  char *a = to;
  const char *b = from;
  while (bytes--) *a++ = *b++;
  return to;
}

void *memset(void *to, int value, unsigned int bytes) {
  char *a = to;
  while (bytes--) *a++ = (char)value;
  return to;
}

static void reset(void) {
  uint32_t *from = board_data_source, *to;
#if defined(__ARM_FP)
  *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
#endif
  for (to = board_data; to < board_data_end;) *to++ = *from++;
  for (to = board_bss; to < board_bss_end;) *to++ = 0;
  board_exit(main());
}

__attribute__((section(".vectors"), used)) void *const vectors[] = {
    board_stack, (void *)reset, (void *)fault, (void *)fault, (void *)fault, (void *)fault, (void *)fault,
};
