/* The counter table (stats/counters.def): bumped on cold paths only, each
   heap in its own array, summed when somebody looks.  Counters are monotonic,
   written by one thread at a time (the holder of the heap's cold lock) and
   read by any, hence relaxed stores.  */
#ifndef HKM_STATS_STATS_H
#define HKM_STATS_STATS_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "os/out.h"

#define HKM_COUNTER(name, unit, help) HKM_COUNT_##name,
enum hkm_counter
{
#include "stats/counters.def"
  HKM_COUNTERS
};
#undef HKM_COUNTER

typedef struct hkm_counts { uint64_t value[HKM_COUNTERS]; } hkm_counts;

#ifdef HKM_WITH_STATS
HKM_INLINE void
hkm_count (hkm_counts *counts, enum hkm_counter which, uint64_t n)
{
  uint64_t *v = &counts->value[which];
  hkm_store_relaxed (v, hkm_load_relaxed (v) + n);
}
#else
HKM_INLINE void
hkm_count (hkm_counts *counts, enum hkm_counter which, uint64_t n)
{
  (void) counts, (void) which, (void) n;
}
#endif

const char *hkm_counter_name (enum hkm_counter which);
const char *hkm_counter_unit (enum hkm_counter which);
const char *hkm_counter_help (enum hkm_counter which);

/* What a report shows beside the counters: gathered by api/, so that this
   room knows no heap.  */
typedef struct hkm_class_line
{
  uint32_t size;        /* block size in bytes */
  uint32_t group;       /* class group 0..7; 8 = mid */
  uint64_t slabs;       /* slabs held by heaps */
  uint64_t slab_bytes;  /* their address space */
  uint64_t carved;      /* blocks ever cut and still in a slab */
  uint64_t live;        /* blocks out (an estimate for other threads' heaps) */
} hkm_class_line;

typedef struct hkm_report
{
  const char *version;
  uint64_t pid;
  uint64_t heaps, heaps_parked;
  uint64_t superslabs, superslabs_lru;
  uint64_t superslabs_sparse; /* in use, less than a quarter of their slots */
  uint64_t mapped_bytes;   /* superslabs and big mappings */
  uint64_t live_bytes;     /* blocks out, by class size */
  uint64_t idle_bytes;     /* resident, free, kept for reuse */
  uint64_t retain_bytes;   /* the budget for idle_bytes */
  uint64_t meta_bytes;     /* metadata arena */
  uint64_t run_count, run_bytes;
  uint64_t big_count, big_bytes, big_cached_bytes;
  uint64_t mmap_calls, munmap_calls, mremap_calls, madvise_calls;
  uint64_t peak_rss_bytes; /* hkm_os_peak_rss, or 0 if it isn't known */
  hkm_counts counts;
  unsigned classes;
  const hkm_class_line *class_line; /* CLASSES of them */
} hkm_report;

/* Print REPORT as text, JSON, or malloc_info's XML.  */
void hkm_stats_print_text (hkm_out *out, const hkm_report *report);
/* FURTHER prints further members, a comma after each; NULL: there are none.  */
void hkm_stats_print_json (hkm_out *out, const hkm_report *report,
                           void (*further) (hkm_out *out));
void hkm_stats_print_xml (hkm_out *out, const hkm_report *report);
/* Two or three lines for somebody who ran one program.  */
void hkm_stats_print_summary (hkm_out *out, const hkm_report *report);

#endif
