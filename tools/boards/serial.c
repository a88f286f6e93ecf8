/* The emulated boards' first serial line (a CMSDK UART) and their timer, as {name}_bench.h asks for them. */
#include "net_bench.h"

#define UART ((volatile uint32_t *)CMSDK_UART)
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100)
#define NVIC_CLEAR (*(volatile uint32_t *)0xE000E280)
#define RECEIVED 1u /* interrupt 0 */
void board_start(void);
uint32_t board_ticks(void);

int net_bench_read(void) {
  int byte;
  while (!(UART[1] & 2u)) {
    __asm__ volatile("wfi"); /* a board that asks all the time keeps the emulator from reading its line */
  }
  byte = (int)(UART[0] & 255u);
  UART[3] = 2;
  NVIC_CLEAR = RECEIVED;
  return byte;
}

void net_bench_write(uint8_t byte) {
  while (UART[1] & 1u) {
  }
  UART[0] = byte;
}

/* The timer has 32 bits of shorter ticks: their differences are added up. */
uint32_t net_bench_microseconds(void) {
  static uint32_t last, rest, microseconds;
  const uint32_t now = board_ticks();
  rest += now - last;
  last = now;
  microseconds += rest / TICKS_A_MICROSECOND;
  rest %= TICKS_A_MICROSECOND;
  return microseconds;
}

int main(void) {
  UART[4] = 16;
  UART[2] = 3 | 8;               /* both ways, and an interrupt for what comes, */
  __asm__ volatile("cpsid i"); /* which ends a sleep and does nothing else */
  NVIC_ENABLE = RECEIVED;
  board_start();
  net_bench();
  return 0;
}
