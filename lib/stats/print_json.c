/* A report for programs, as one JSON object.  Every number is an exact integer,
   but for what learners say, which has three decimals; rates are left to the
   reader.  Names stay as they are; new ones may come.  */
#include "stats/stats.h"

typedef unsigned long long ull; /* what %llu takes */

typedef struct field
{
  const char *name;
  uint64_t value;
} field;

/* One member "NAME": {...} of the outer object, and the comma after it.  */
static HKM_COLD void
print_object (hkm_out *out, const char *name, const field *fields, unsigned n)
{
  hkm_out_printf (out, "  \"%s\": {\n", name);
  for (unsigned i = 0; i < n; i++)
    hkm_out_printf (out, "    \"%s\": %llu%s\n", fields[i].name,
                    (ull) fields[i].value, i + 1 < n ? "," : "");
  hkm_out_printf (out, "  },\n");
}

#define PRINT_OBJECT(out, name, ...)                                          \
  print_object ((out), (name), (const field[]){ __VA_ARGS__ },               \
                sizeof ((const field[]){ __VA_ARGS__ }) / sizeof (field))

/* Without the part the counters are not zero but unknown.  */
#ifdef HKM_WITH_STATS
enum { COUNTED = true };
#else
enum { COUNTED = false };
#endif

static HKM_COLD void
print_counters (hkm_out *out, const hkm_report *report)
{
  if (!COUNTED)
    {
      hkm_out_printf (out, "  \"counters\": null,\n");
      return;
    }
  hkm_out_printf (out, "  \"counters\": {\n");
  for (unsigned i = 0; i < HKM_COUNTERS; i++)
    hkm_out_printf (out, "    \"%s\": %llu%s\n", hkm_counter_name (i),
                    (ull) report->counts.value[i],
                    i + 1 < HKM_COUNTERS ? "," : "");
  hkm_out_printf (out, "  },\n");
}

static HKM_COLD void
print_classes (hkm_out *out, const hkm_report *report)
{
  hkm_out_printf (out, "  \"classes\": [");
  for (unsigned i = 0; i < report->classes; i++)
    {
      const hkm_class_line *c = &report->class_line[i];

      hkm_out_printf (out,
                      "%s\n    {\"size\": %u, \"group\": %u, \"slabs\": %llu, "
                      "\"slab_bytes\": %llu, \"carved\": %llu, "
                      "\"live\": %llu}",
                      i > 0 ? "," : "", c->size, c->group, (ull) c->slabs,
                      (ull) c->slab_bytes, (ull) c->carved, (ull) c->live);
    }
  hkm_out_printf (out, "\n  ]\n");
}

HKM_COLD void
hkm_stats_print_json (hkm_out *out, const hkm_report *r,
                      void (*further) (hkm_out *out))
{
  hkm_out_printf (out, "{\n  \"version\": \"%s\",\n  \"pid\": %llu,\n",
                  r->version, (ull) r->pid);
  PRINT_OBJECT (out, "memory", { "mapped_bytes", r->mapped_bytes },
                { "live_bytes", r->live_bytes },
                { "idle_bytes", r->idle_bytes },
                { "retain_bytes", r->retain_bytes },
                { "meta_bytes", r->meta_bytes },
                { "peak_rss_bytes", r->peak_rss_bytes });
  PRINT_OBJECT (out, "heaps", { "count", r->heaps },
                { "parked", r->heaps_parked });
  PRINT_OBJECT (out, "superslabs", { "count", r->superslabs },
                { "lru", r->superslabs_lru },
                { "sparse", r->superslabs_sparse });
  PRINT_OBJECT (out, "large", { "count", r->run_count },
                { "bytes", r->run_bytes });
  PRINT_OBJECT (out, "big", { "count", r->big_count }, { "bytes", r->big_bytes },
                { "cached_bytes", r->big_cached_bytes });
  PRINT_OBJECT (out, "system_calls", { "mmap", r->mmap_calls },
                { "munmap", r->munmap_calls }, { "mremap", r->mremap_calls },
                { "madvise", r->madvise_calls });
  print_counters (out, r);
  if (further != NULL)
    further (out);
  print_classes (out, r);
  hkm_out_printf (out, "}\n");
}
