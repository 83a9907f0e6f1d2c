/* Output without allocation or stdio: a small formatter into a fixed buffer
   and a line writer.  Formats: %s %c %d %u %x %p %zu %zx %lu %llu %% with an
   optional width and '-' or '0' flag.  Nothing else.  errno is kept.  */
#ifndef HKM_OS_OUT_H
#define HKM_OS_OUT_H

#include "base/compiler.h"
#include <stdarg.h>

/* A sink of text: buffered bytes and where they go when the buffer is full.  */
typedef struct hkm_out hkm_out;
struct hkm_out
{
  void (*flush) (hkm_out *out, const char *bytes, size_t n);
  void *arg;
  size_t used;
  char buffer[512];
};

/* A sink that writes to file descriptor FD.  */
void hkm_out_init_fd (hkm_out *out, int fd);
/* A sink that fills STORE (SIZE bytes) and drops the rest; always ended by a
   zero byte after hkm_out_flush.  */
typedef struct hkm_out_store { char *at; size_t left; } hkm_out_store;
void hkm_out_init_store (hkm_out *out, hkm_out_store *store);
void hkm_out_printf (hkm_out *out, const char *format, ...) HKM_PRINTF (2, 3);
void hkm_out_vprintf (hkm_out *out, const char *format, va_list args);
void hkm_out_flush (hkm_out *out);

/* One line "hakmem: ..." plus newline on stderr in a single write.  */
void hkm_out_line (const char *format, ...) HKM_PRINTF (1, 2);
/* True if stderr is a terminal.  */
bool hkm_out_is_terminal (void);

#endif
