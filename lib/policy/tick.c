/* See tick.h.  What is noted lies in the arena, and only where somebody learns: in
   .bss it would keep apart what every process touches.  */
#include "policy/tick.h"
#include "base/lock.h"
#include "os/arena.h"
#include "os/os.h"

bool hkm_tick_asked, hkm_tick_told;
static uint64_t (*hook) (uint64_t now_ms); /* constant once ticks are told */

/* A tick only tries it: who comes while another is at it goes on.  */
static hkm_lock tick_lock = HKM_LOCK_INIT (HKM_RANK_TICK);
static uint64_t due; /* relaxed */

HKM_COLD void
hkm_tick_slow (void)
{
  uint64_t now = hkm_os_clock_ms ();
  if (now < hkm_load_relaxed (&due) || !hkm_lock_try (&tick_lock))
    return;
  if (now >= hkm_load_relaxed (&due)) /* nobody did it meanwhile */
    hkm_store_relaxed (&due, hook (now));
  hkm_lock_give (&tick_lock);
}

void
hkm_tick_by_thread (bool yes)
{
  hkm_store_release (&hkm_tick_asked, hook != NULL && !yes);
}

uint64_t
hkm_tick_run (void)
{
  if (hook == NULL)
    return UINT64_MAX;
  hkm_tick_slow ();
  uint64_t now = hkm_os_clock_ms (), next = hkm_load_relaxed (&due);
  return next > now ? next - now : 0;
}

void
hkm_tick_hold (void)
{
  hkm_lock_take (&tick_lock);
}

void
hkm_tick_go_on (void)
{
  hkm_lock_give (&tick_lock);
}

struct notes
{
  uint16_t sizes[HKM_TICK_SIZES]; /* relaxed */
  uint32_t slow[HKM_TICK_SLOWS];  /* relaxed */
  uint32_t slow_in;               /* noted so far; relaxed */
  uint32_t slow_out;              /* the reader's */
};
static struct notes *notes; /* constant once ticks are told */

bool
hkm_tick_begin (uint64_t (*when_due) (uint64_t now_ms))
{
  notes = hkm_arena_alloc (sizeof *notes, sizeof (uint64_t));
  if (notes == NULL)
    return false;
  hook = when_due;
  hkm_store_release (&hkm_tick_told, true);
  hkm_tick_by_thread (false);
  return true;
}

void
hkm_tick_note_size (size_t size)
{
  size_t i = (size + HKM_MIN_ALIGN - 1) / HKM_MIN_ALIGN - HKM_TICK_SIZE_FIRST;
  if (i >= HKM_TICK_SIZES) /* not of mid size */
    return;
  uint16_t n = hkm_load_relaxed (&notes->sizes[i]);
  if (n != UINT16_MAX)
    hkm_store_relaxed (&notes->sizes[i], (uint16_t) (n + 1));
}

unsigned
hkm_tick_size_take (unsigned i)
{
  unsigned n = hkm_load_relaxed (&notes->sizes[i]);
  if (n != 0)
    hkm_store_relaxed (&notes->sizes[i], 0);
  return n;
}

void
hkm_tick_note_slow (uint64_t ns)
{
  uint32_t i = hkm_fetch_add_relaxed (&notes->slow_in, 1);
  hkm_store_relaxed (&notes->slow[i % HKM_TICK_SLOWS],
                     ns < UINT32_MAX ? (uint32_t) ns : UINT32_MAX);
}

bool
hkm_tick_slow_take (uint32_t *ns)
{
  uint32_t in = hkm_load_relaxed (&notes->slow_in);
  if (in == notes->slow_out)
    return false;
  if (in - notes->slow_out > HKM_TICK_SLOWS)
    notes->slow_out = in - HKM_TICK_SLOWS;
  *ns = hkm_load_relaxed (&notes->slow[notes->slow_out++ % HKM_TICK_SLOWS]);
  return true;
}
