/* For a compiler without a C library: what the generated main.cc uses of stdio.h, to compile against. */
#ifndef STUB_STDIO_H_
#define STUB_STDIO_H_
#include <stdarg.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef struct stub_file FILE;
extern FILE* stdout;
int vsnprintf(char* text, size_t size, const char* format, va_list arguments);
int fputs(const char* text, FILE* file);
int fflush(FILE* file);
#ifdef __cplusplus
}
#endif
#endif
