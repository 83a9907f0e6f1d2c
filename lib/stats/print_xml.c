/* A report in the shape of glibc's malloc_info, version 1, for the tools that
   read that.  As there, "size" and "rest" speak of free blocks, "mmap" of
   blocks with a mapping of their own, "system" of the memory the others are
   cut from.  All threads' heaps are one heap here.  The elements for glibc's
   fast bins are zero, and its record of the maximum, which is not kept, is
   left out.  */
#include "stats/stats.h"

typedef unsigned long long ull; /* what %llu takes */

typedef struct totals
{
  uint64_t count, bytes;
} totals;

static void
add_sizes (hkm_out *out, const hkm_report *report, totals *free_blocks)
{
  hkm_out_printf (out, "<sizes>\n");
  for (unsigned i = 0; i < report->classes; i++)
    {
      const hkm_class_line *c = &report->class_line[i];
      /* Live is an estimate: it may be ahead of carved.  */
      uint64_t n = c->carved > c->live ? c->carved - c->live : 0;

      if (n == 0)
        continue;
      hkm_out_printf (out,
                      "  <size from=\"%u\" to=\"%u\" total=\"%llu\" "
                      "count=\"%llu\"/>\n",
                      c->size, c->size, (ull) n * c->size, (ull) n);
      free_blocks->count += n;
      free_blocks->bytes += n * c->size;
    }
  hkm_out_printf (out, "</sizes>\n");
}

static void
add_totals (hkm_out *out, const totals *free_blocks)
{
  hkm_out_printf (out,
                  "<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
                  "<total type=\"rest\" count=\"%llu\" size=\"%llu\"/>\n",
                  (ull) free_blocks->count, (ull) free_blocks->bytes);
}

static void
add_system (hkm_out *out, uint64_t bytes)
{
  hkm_out_printf (out,
                  "<system type=\"current\" size=\"%llu\"/>\n"
                  "<aspace type=\"total\" size=\"%llu\"/>\n"
                  "<aspace type=\"mprotect\" size=\"%llu\"/>\n",
                  (ull) bytes, (ull) bytes, (ull) bytes);
}

HKM_COLD void
hkm_stats_print_xml (hkm_out *out, const hkm_report *report)
{
  totals free_blocks = { 0, 0 };
  uint64_t own = report->big_bytes + report->big_cached_bytes;
  uint64_t shared = report->mapped_bytes > own ? report->mapped_bytes - own : 0;

  hkm_out_printf (out, "<malloc version=\"1\">\n<heap nr=\"0\">\n");
  add_sizes (out, report, &free_blocks);
  add_totals (out, &free_blocks);
  add_system (out, shared);
  hkm_out_printf (out, "</heap>\n");
  add_totals (out, &free_blocks);
  hkm_out_printf (out, "<total type=\"mmap\" count=\"%llu\" size=\"%llu\"/>\n",
                  (ull) report->big_count, (ull) report->big_bytes);
  add_system (out, shared);
  hkm_out_printf (out, "</malloc>\n");
}
