/* Start-up of a Cortex-M4F for the emulated board mps2-an386. */
extern unsigned int __stack;
extern void _start(void);
static void hang(void) { for (;;) {} }
void reset(void) {
  *(volatile unsigned int*)0xE000ED88 |= 0xFu << 20; /* the FPU */
  _start();
}
__attribute__((section(".vectors"), used)) void* const vectors[] = {
    (void*)0x20400000, (void*)reset, (void*)hang, (void*)hang, (void*)hang, (void*)hang, (void*)hang};
