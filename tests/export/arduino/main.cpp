#include "Arduino.h"

HardwareSerial Serial;
static unsigned long now;

unsigned long micros() { return now += 1000; }
unsigned long millis() { return micros() / 1000; }
void delay(unsigned long ms) { now += 1000 * ms; }

int analogRead(int) {
  int value;
  if (scanf("%d", &value) != 1) {
    fflush(stdout);
    exit(0);
  }
  return value;
}

int main() {
  setup();
  for (;;) loop();
}
