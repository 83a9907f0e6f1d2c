/* The calls by which glibc lets a program look at its malloc, answered for
   ours.  A process that does not use our malloc gets the answer of the one it
   uses.  */
#include "api/api.h"
#include "api/report.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#if !__GLIBC_PREREQ (2, 33)
struct mallinfo2
{
  size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks,
      fordblks, keepcost;
};
#endif

HKM_EXPORT struct mallinfo HKM_API (mallinfo) (void);
HKM_EXPORT struct mallinfo2 HKM_API (mallinfo2) (void);
HKM_EXPORT int HKM_API (malloc_info) (int options, FILE *stream);

/* True if the process's blocks are not ours to report.  */
static bool
not_ours (void)
{
  return hkm_init () || hkm_foreign_owns_malloc ();
}

/* glibc's fields: arena is what all but the blocks with a mapping of their own
   are cut from, uordblks and fordblks its used and free parts, keepcost what a
   trim can give back at once.  */
static HKM_COLD struct mallinfo2
gather (void)
{
  struct mallinfo2 info = { 0 };
  hkm_full_report full;
  const hkm_report *r = &full.report;

  hkm_report_gather (&full);
  info.arena = r->mapped_bytes - r->big_bytes - r->big_cached_bytes;
  info.uordblks = r->live_bytes - r->big_bytes;
  info.fordblks = info.arena > info.uordblks ? info.arena - info.uordblks : 0;
  for (unsigned i = 0; i < r->classes; i++)
    if (full.line[i].carved > full.line[i].live)
      info.ordblks += full.line[i].carved - full.line[i].live;
  info.hblks = r->big_count;
  info.hblkhd = r->big_bytes;
  info.keepcost = r->idle_bytes;
  return info;
}

HKM_EXPORT struct mallinfo2
HKM_API (mallinfo2) (void)
{
  const struct mallinfo2 nothing = { 0 };

  if (not_ours ())
    {
      struct mallinfo2 (*next) (void)
          = (struct mallinfo2 (*) (void)) hkm_foreign_next ("mallinfo2");
      return next != NULL ? next () : nothing;
    }
  return gather ();
}

/* glibc lets large numbers wrap around; here they stop at the largest int.  */
static int
to_int (size_t n)
{
  return n > INT_MAX ? INT_MAX : (int) n;
}

HKM_EXPORT struct mallinfo
HKM_API (mallinfo) (void)
{
  struct mallinfo info = { 0 };

  if (not_ours ())
    {
      struct mallinfo (*next) (void)
          = (struct mallinfo (*) (void)) hkm_foreign_next ("mallinfo");
      return next != NULL ? next () : info;
    }
  struct mallinfo2 wide = gather ();
  info.arena = to_int (wide.arena);
  info.ordblks = to_int (wide.ordblks);
  info.hblks = to_int (wide.hblks);
  info.hblkhd = to_int (wide.hblkhd);
  info.uordblks = to_int (wide.uordblks);
  info.fordblks = to_int (wide.fordblks);
  info.keepcost = to_int (wide.keepcost);
  return info;
}

/* To the stream ARG, which becomes NULL once it fails.  */
static void
flush_stream (hkm_out *out, const char *bytes, size_t n)
{
  if (out->arg == NULL)
    return;
  size_t (*write) (const void *, size_t, size_t, FILE *)
      = (size_t (*) (const void *, size_t, size_t, FILE *))
          hkm_foreign_next ("fwrite");
  if (write (bytes, 1, n, out->arg) != n)
    out->arg = NULL;
}

/* OPTIONS must be 0, as in glibc: EINVAL is returned, not set.  -1 if STREAM
   failed.  */
HKM_EXPORT int
HKM_API (malloc_info) (int options, FILE *stream)
{
  if (options != 0)
    return EINVAL;
  if (not_ours ())
    {
      int (*next) (int, FILE *)
          = (int (*) (int, FILE *)) hkm_foreign_next ("malloc_info");
      return next != NULL ? next (options, stream) : ENOSYS;
    }
  int saved = errno;
  hkm_out out = { .flush = flush_stream, .arg = stream };
  hkm_report_print (&out, HKM_REPORT_XML);
  if (out.arg == NULL)
    return -1;
  errno = saved;
  return 0;
}

HKM_EXPORT void
HKM_API (malloc_stats) (void)
{
  if (not_ours ())
    {
      void (*next) (void)
          = (void (*) (void)) hkm_foreign_next ("malloc_stats");
      if (next != NULL)
        next ();
      return;
    }
  hkm_report_write (STDERR_FILENO, HKM_REPORT_TEXT);
}

/* PAD, the bytes to leave at the top of glibc's heap, has no meaning here.  */
HKM_EXPORT int
HKM_API (malloc_trim) (size_t pad)
{
  if (not_ours ())
    {
      int (*next) (size_t)
          = (int (*) (size_t)) hkm_foreign_next ("malloc_trim");
      return next != NULL ? next (pad) : 0;
    }
  return hkm_report_trim () > 0;
}
