// A stand-in for Arduino's core on this computer: the serial line is standard output, the analog pins read numbers from
// standard input, and the program ends where these do. Time goes on by a millisecond with every look at it.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ARDUINO_HOST 1
enum { A0 = 14 };

struct HardwareSerial {
  void begin(unsigned long) {}
  explicit operator bool() const { return true; }
  int available() { return 0; }
  int read() { return -1; }
  void print(const char* text) { fputs(text, stdout); }
  void print(unsigned long value) { printf("%lu", value); }
  void print(unsigned int value) { printf("%u", value); }
  void print(float value, int digits) { printf("%.*f", digits, static_cast<double>(value)); }
};
extern HardwareSerial Serial;

unsigned long micros();
unsigned long millis();
void delay(unsigned long ms);
int analogRead(int pin);

void setup();
void loop();
