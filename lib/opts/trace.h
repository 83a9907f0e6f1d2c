/* Traces: one line on stderr per event of the cold paths, for who works on the
   allocator.  Only in a build with --enable-debug-trace, whose variables are the
   rows of opts/trace.def; anywhere else hkm_trace is no code at all, so call
   sites need no #if.  Any thread, any lock held.  */
#ifndef HKM_OPTS_TRACE_H
#define HKM_OPTS_TRACE_H

#include "opts/opts.h"
#include "os/out.h"

/* hkm_trace (ROW, FORMAT, ...): print if the switch HAKMEM_<ROW> is on.  */
#ifdef HKM_DEBUG_TRACE
#define hkm_trace(row, ...)                                                   \
  ((void) (hkm_opt (HKM_OPT_##row) && (hkm_out_line (__VA_ARGS__), true)))
#else
/* Not evaluated, but read by the compiler: a format that is wrong is wrong in
   every build, and no variable becomes unused.  Never defined.  */
int hkm_trace_format (const char *format, ...) HKM_PRINTF (1, 2);
#define hkm_trace(row, ...) ((void) sizeof hkm_trace_format (__VA_ARGS__))
#endif

#endif
