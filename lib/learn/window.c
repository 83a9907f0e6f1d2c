/* See window.h.  */
#include "learn/window.h"

/* Prices in picoseconds, of one of what a counter counts.  They are what the
   workloads of bench/ showed on x86-64, rounded; learners compare windows of one
   process, so that their proportions matter and not the machine's speed.  */
typedef struct price
{
  uint8_t counter; /* enum hkm_counter */
  uint32_t ps;
} price;

/* What the program does with a block that it gets and gives back, some of whose
   bytes it writes and reads.  */
static const price work[] = {
  { HKM_COUNT_FREE_COUNTED, 25000 },  { HKM_COUNT_REMOTE_FREE, 25000 },
  { HKM_COUNT_FREE_BYTES, 20 },       { HKM_COUNT_RUN_ASKED_BYTES, 20 },
  { HKM_COUNT_BIG_ASKED_BYTES, 20 },
};

static const price cold[] = {
  { HKM_COUNT_REFILL, 40000 },         { HKM_COUNT_RETIRE, 40000 },
  { HKM_COUNT_BLOCKS_CARVED, 3000 },   { HKM_COUNT_BATCH_BLOCKS, 3000 },
  { HKM_COUNT_REFILL_STUCK, 200000 },  { HKM_COUNT_MAGAZINE_DRAIN, 500000 },
  { HKM_COUNT_SLAB_EMPTIED, 100000 },  { HKM_COUNT_SLAB_RELEASED, 150000 },
  { HKM_COUNT_REMOTE_PUSH, 60000 },    { HKM_COUNT_REMOTE_NOTIFY, 60000 },
  { HKM_COUNT_REMOTE_COLLECT, 5000 },  { HKM_COUNT_POOL_LOCK, 50000 },
  { HKM_COUNT_POOL_BUSY, 2000000 },    { HKM_COUNT_ACQUIRE_STAGE2, 200000 },
  { HKM_COUNT_ACQUIRE_STAGE3, 1000000 },
  { HKM_COUNT_RUN_ALLOC, 60000 },      { HKM_COUNT_RUN_NEW, 300000 },
  { HKM_COUNT_RUN_BUNDLE, 60000 },     { HKM_COUNT_BIG_ALLOC, 200000 },
};

static const price back[] = {
  { HKM_COUNT_PURGE_BYTES, 60 }, { HKM_COUNT_REGRET_BYTES, 120 },
  { HKM_COUNT_SWEPT_BYTES, 60 },
};

static const uint32_t call_ps[HKM_OS_CALLS] = {
  [HKM_OS_MMAP] = 2000000, [HKM_OS_MUNMAP] = 5000000,
  [HKM_OS_MREMAP] = 3000000, [HKM_OS_MADVISE] = 1500000,
};
/* A page touched anew: the fault, and its zeros.  */
enum { FAULT_PS = 500000 };

/* What is of late is a mean of so many windows.  */
enum { SLOWLY = 16 };

/* Whole counts that a learner can make something of; what is more is not
   believed.  */
#define MOST ((uint64_t) 1 << 40)

static uint64_t
between (uint64_t before, uint64_t after)
{
  uint64_t n = after > before ? after - before : 0;
  return n < MOST ? n : MOST;
}

static uint64_t
counted (const hkm_observation *before, const hkm_observation *after,
         enum hkm_counter which)
{
  return between (before->counts.value[which], after->counts.value[which]);
}

/* In nanoseconds.  */
static uint64_t
worth (uint64_t n, uint32_t ps)
{
  return n * ps / 1000; /* below 2^40 * 2^23 */
}

static uint64_t
sum_of (const price *prices, unsigned n, const hkm_observation *before,
        const hkm_observation *after)
{
  uint64_t ns = 0;
  for (unsigned i = 0; i < n; i++)
    ns += worth (counted (before, after,
                          (enum hkm_counter) prices[i].counter),
                 prices[i].ps);
  return ns;
}
#define SUM_OF(prices)                                                        \
  sum_of (prices, sizeof (prices) / sizeof *(prices), before, after)

/* Who writes a word of each page of a block has not done the work that its bytes
   stand for, and would seem to be slowed down by cold paths the less for it.  So no
   more is believed than there was time for, of late: clocks are too coarse to say it
   of one window.  */
static uint64_t
work_of (hkm_window *w, const hkm_observation *before,
         const hkm_observation *after)
{
  uint64_t ns = SUM_OF (work);
  uint64_t had = between (before->time_ms, after->time_ms) * 1000000
                 * after->heaps;
  if (had == 0 || had > ns)
    had = ns;
  w->priced_ns += ns / SLOWLY - w->priced_ns / SLOWLY;
  w->had_ns += had / SLOWLY - w->had_ns / SLOWLY;
  return w->had_ns < w->priced_ns
           ? (uint64_t) hkm_fix_mul ((hkm_fix) ns,
                                     hkm_fix_ratio (w->had_ns, w->priced_ns))
           : ns;
}

static uint64_t
back_of (const hkm_observation *before, const hkm_observation *after)
{
  uint64_t ns = SUM_OF (back);
  for (unsigned i = 0; i < HKM_OS_CALLS; i++)
    ns += worth (between (before->calls[i], after->calls[i]), call_ps[i]);
  return ns;
}

/* Of mid and large blocks: what they take for what was asked for.  In a program of
   big blocks a fifth of that is a hundredth of its memory.  */
static hkm_fix
waste_of (hkm_window *w, const hkm_observation *before,
          const hkm_observation *after)
{
  hkm_fix share = HKM_FIX_ONE;
  if (after->slab_bytes != 0)
    share = hkm_fix_ratio (after->slab_bytes,
                           after->live_bytes + after->kept_bytes);
  if (w->share == 0)
    w->share = share;
  w->share += (share - w->share) / SLOWLY;
  uint64_t asked = counted (before, after, HKM_COUNT_MID_ASKED_BYTES)
                   + counted (before, after, HKM_COUNT_RUN_ASKED_BYTES);
  uint64_t given = counted (before, after, HKM_COUNT_MID_BYTES)
                   + counted (before, after, HKM_COUNT_RUN_BYTES);
  return HKM_FIX_ONE
         + (given > asked && asked != 0
              ? hkm_fix_mul (hkm_fix_ratio (given - asked, asked), w->share)
              : 0);
}

static hkm_fix
kept_of (const hkm_observation *after)
{
  /* What is kept of next to nothing matters little.  */
  uint64_t live = after->live_bytes + (1 << 20);
  return HKM_FIX_ONE + hkm_fix_ratio (after->kept_bytes, live);
}

static void
count_hits (hkm_window *w, const hkm_observation *before,
            const hkm_observation *after)
{
  uint64_t all = 0, missed = 0;
  for (unsigned c = 0; c < HKM_CLASSES; c++)
    {
      all += (uint32_t) (after->refills[c] - before->refills[c]);
      missed += (uint32_t) (after->acquires[c] - before->acquires[c]);
    }
  for (unsigned k = 0; k < HKM_RUN_CLASSES; k++)
    {
      all += (uint32_t) (after->runs[k] - before->runs[k]);
      missed += (uint32_t) (after->runs_new[k] - before->runs_new[k]);
    }
  w->misses = missed;
  w->hits = all > missed ? all - missed : 0;
}

/* Pages that were touched anew, as far as it is known: faults if somebody asked,
   else what was purged and came back and what was mapped.  */
static uint64_t
pages_of (const hkm_observation *before, const hkm_observation *after)
{
  uint64_t known = between (before->faults, after->faults);
  if (known != 0)
    return known;
  return counted (before, after, HKM_COUNT_REGRET_BYTES) / 4096
         + counted (before, after, HKM_COUNT_SS_MAP) * 512
         + counted (before, after, HKM_COUNT_BIG_ALLOC)
         - counted (before, after, HKM_COUNT_BIG_CACHE_HIT);
}

HKM_COLD void
hkm_window_make (hkm_window *w, const hkm_observation *before,
                 const hkm_observation *after)
{
  w->blocks = counted (before, after, HKM_COUNT_FREE_COUNTED)
              + counted (before, after, HKM_COUNT_REMOTE_FREE)
              + 16 * counted (before, after, HKM_COUNT_RUN_ALLOC)
              + 64 * counted (before, after, HKM_COUNT_BIG_ALLOC);
  w->work_ns = work_of (w, before, after);
  w->cold_ns = SUM_OF (cold)
               + worth (between (before->faults, after->faults), FAULT_PS);
  w->back_ns = back_of (before, after);
  w->time = HKM_FIX_ONE + hkm_fix_ratio (w->cold_ns, w->work_ns);
  w->back = HKM_FIX_ONE + hkm_fix_ratio (w->back_ns, w->work_ns);
  w->waste = waste_of (w, before, after);
  w->kept = kept_of (after);
  w->faults = hkm_fix_ratio (pages_of (before, after) * 1000000,
                             w->work_ns + 1);
  count_hits (w, before, after);
}
