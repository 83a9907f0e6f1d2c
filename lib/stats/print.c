/* A report for people: the whole as text, and three lines of summary.
   Integer arithmetic only: a program may call this from anywhere.  */
#include "stats/stats.h"

typedef unsigned long long ull; /* what %llu takes */

#ifdef HKM_WITH_STATS
enum { COUNTED = true };
#else
enum { COUNTED = false }; /* the counters are not zero but unknown */
#endif

/* BYTES in MiB with one decimal, rounded; as a COLUMN, 16 wide.  */
static HKM_COLD void
put_mib (hkm_out *out, uint64_t bytes, bool column)
{
  uint64_t mib = bytes >> 20;
  uint64_t tenth = ((bytes & 0xfffff) * 10 + 0x80000) >> 20;

  if (tenth == 10)
    {
      mib++;
      tenth = 0;
    }
  hkm_out_printf (out, column ? "%10llu.%llu MiB" : "%llu.%llu MiB", (ull) mib,
                  (ull) tenth);
}

/* PART of WHOLE in per cent with one decimal, cut, so that only all is 100.  */
static HKM_COLD void
put_share (hkm_out *out, uint64_t part, uint64_t whole)
{
  while (part > UINT64_MAX / 1000)
    {
      part /= 2;
      whole /= 2;
    }
  uint64_t mille = part * 1000 / whole;
  hkm_out_printf (out, "%3llu.%llu %%", (ull) (mille / 10), (ull) (mille % 10));
}

static uint64_t
count (const hkm_report *report, enum hkm_counter which)
{
  return report->counts.value[which];
}

/* Refills that took a slab or found no memory; the others stayed within the
   thread's own slabs and those of parked heaps.  */
static uint64_t
refills_beyond (const hkm_report *report)
{
  return count (report, HKM_COUNT_REFILL_ACQUIRE)
         + count (report, HKM_COUNT_REFILL_FAIL);
}

static uint64_t
system_calls (const hkm_report *report)
{
  return report->mmap_calls + report->munmap_calls + report->mremap_calls
         + report->madvise_calls;
}

/* What MINUS leaves of WHOLE; figures gathered from running threads may not
   fit each other.  */
static uint64_t
rest (uint64_t whole, uint64_t minus)
{
  return whole > minus ? whole - minus : 0;
}

static HKM_COLD void
memory_line (hkm_out *out, const char *name, uint64_t bytes, const char *what)
{
  hkm_out_printf (out, "  %-10s", name);
  put_mib (out, bytes, true);
  hkm_out_printf (out, "  %s\n", what);
}

static HKM_COLD void
print_memory (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "memory\n");
  memory_line (out, "live", report->live_bytes, "blocks in use, by block size");
  memory_line (out, "idle", report->idle_bytes,
               "free, resident, kept for reuse");
  memory_line (out, "budget", report->retain_bytes, "most that may be idle");
  memory_line (out, "mapped", report->mapped_bytes,
               "address space of superslabs and big blocks");
  memory_line (out, "metadata", report->meta_bytes, "descriptors and the like");
  memory_line (out, "large", report->run_bytes, "of the live: large blocks");
  memory_line (out, "big", report->big_bytes, "of the live: big blocks");
  memory_line (out, "BigCache", report->big_cached_bytes, "freed big blocks");
  if (report->peak_rss_bytes > 0)
    memory_line (out, "peak", report->peak_rss_bytes,
                 "resident, of the whole process");
}

static HKM_COLD void
print_places (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "\nholdings\n"
                  "  %10llu heaps, %llu of them parked\n"
                  "  %10llu superslabs, %llu of them kept empty\n"
                  "  %10llu large blocks\n"
                  "  %10llu big blocks\n",
                  (ull) report->heaps, (ull) report->heaps_parked,
                  (ull) report->superslabs, (ull) report->superslabs_lru,
                  (ull) report->run_count, (ull) report->big_count);
  hkm_out_printf (out, "\nsystem calls\n"
                  "  %10llu mmap\n  %10llu munmap\n  %10llu mremap\n"
                  "  %10llu madvise\n",
                  (ull) report->mmap_calls, (ull) report->munmap_calls,
                  (ull) report->mremap_calls, (ull) report->madvise_calls);
}

/* CARVED is what the class has in its slabs, LIVE what is out of it.  */
static HKM_COLD void
print_classes (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "\nclasses in use\n"
                  "  %7s %5s %7s %14s %11s %11s %11s\n", "size", "group",
                  "slabs", "space", "carved", "live", "free");
  for (unsigned i = 0; i < report->classes; i++)
    {
      const hkm_class_line *c = &report->class_line[i];

      if (c->slabs == 0)
        continue;
      hkm_out_printf (out, "  %7u ", c->size);
      if (c->group < 8)
        hkm_out_printf (out, "   C%u", c->group);
      else
        hkm_out_printf (out, "  mid");
      hkm_out_printf (out, " %7llu ", (ull) c->slabs);
      put_mib (out, c->slab_bytes, true);
      hkm_out_printf (out, " %11llu %11llu %11llu\n", (ull) c->carved,
                      (ull) c->live, (ull) rest (c->carved, c->live));
    }
}

static HKM_COLD void
rate_line (hkm_out *out, uint64_t part, uint64_t whole, const char *what)
{
  if (whole == 0)
    return;
  hkm_out_printf (out, "  ");
  put_share (out, part < whole ? part : whole, whole);
  hkm_out_printf (out, "  of %llu %s\n", (ull) whole, what);
}

static HKM_COLD void
print_rates (hkm_out *out, const hkm_report *report)
{
  uint64_t refills = count (report, HKM_COUNT_REFILL);
  uint64_t stage1 = count (report, HKM_COUNT_ACQUIRE_STAGE1);
  uint64_t stage3 = count (report, HKM_COUNT_ACQUIRE_STAGE3);
  uint64_t slabs = stage1 + count (report, HKM_COUNT_ACQUIRE_STAGE2) + stage3;

  hkm_out_printf (out, "\nhit rates\n");
  rate_line (out, rest (refills, refills_beyond (report)), refills,
             "refills needed no slab from the superslabs");
  rate_line (out, stage1, slabs, "slabs acquired were of the class already");
  rate_line (out, rest (slabs, stage3), slabs,
             "slabs acquired fitted in superslabs at hand");
  rate_line (out, count (report, HKM_COUNT_SS_LRU_HIT), stage3,
             "further superslabs came from the LRU");
  rate_line (out, count (report, HKM_COUNT_RUN_CACHE_HIT),
             count (report, HKM_COUNT_RUN_ALLOC),
             "large blocks came from the thread's cache");
  rate_line (out, count (report, HKM_COUNT_BIG_CACHE_HIT),
             count (report, HKM_COUNT_BIG_ALLOC),
             "big blocks came from the BigCache");
  rate_line (out, rest (count (report, HKM_COUNT_REMOTE_FREE),
                        count (report, HKM_COUNT_REMOTE_PUSH)),
             count (report, HKM_COUNT_REMOTE_FREE),
             "remote frees cost no atomic of their own");
  rate_line (out, count (report, HKM_COUNT_REGRET_BYTES),
             count (report, HKM_COUNT_PURGE_BYTES),
             "bytes purged were wanted again soon");
}

static HKM_COLD void
print_counters (hkm_out *out, const hkm_report *report)
{
  if (!COUNTED)
    {
      hkm_out_printf (out, "\nno counters: configured with --disable-stats\n");
      return;
    }
  hkm_out_printf (out, "\ncounters that are not zero\n");
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    if (count (report, i) > 0)
      hkm_out_printf (out, "  %-15s %12llu  %s\n", hkm_counter_name (i),
                      (ull) count (report, i), hkm_counter_help (i));
  print_rates (out, report);
}

HKM_COLD void
hkm_stats_print_text (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "hakmem %s, process %llu\n\n", report->version,
                  (ull) report->pid);
  print_memory (out, report);
  print_places (out, report);
  print_classes (out, report);
  print_counters (out, report);
}

static HKM_COLD void
summary_work (hkm_out *out, const hkm_report *report)
{
  uint64_t refills = count (report, HKM_COUNT_REFILL);

  if (!COUNTED)
    {
      hkm_out_printf (out, "no counters: configured with --disable-stats\n");
      return;
    }
  hkm_out_printf (out, "%llu refills", (ull) refills);
  if (refills > 0)
    {
      hkm_out_printf (out, ",");
      put_share (out, rest (refills, refills_beyond (report)), refills);
      hkm_out_printf (out, " from slabs at hand");
    }
  hkm_out_printf (out, "; %llu large and %llu big blocks; "
                  "%llu blocks freed by other threads\n",
                  (ull) count (report, HKM_COUNT_RUN_ALLOC),
                  (ull) count (report, HKM_COUNT_BIG_ALLOC),
                  (ull) count (report, HKM_COUNT_REMOTE_FREE));
}

HKM_COLD void
hkm_stats_print_summary (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "hakmem: ");
  if (report->peak_rss_bytes > 0)
    {
      hkm_out_printf (out, "the process held at most ");
      put_mib (out, report->peak_rss_bytes, false);
      hkm_out_printf (out, "; ");
    }
  hkm_out_printf (out, "at the end ");
  put_mib (out, report->live_bytes, false);
  hkm_out_printf (out, " live, ");
  put_mib (out, report->idle_bytes, false);
  hkm_out_printf (out, " idle\nhakmem: ");
  summary_work (out, report);
  hkm_out_printf (out, "hakmem: %llu system calls for memory (%llu mmap, "
                  "%llu munmap, %llu mremap, %llu madvise)\n",
                  (ull) system_calls (report), (ull) report->mmap_calls,
                  (ull) report->munmap_calls, (ull) report->mremap_calls,
                  (ull) report->madvise_calls);
}
