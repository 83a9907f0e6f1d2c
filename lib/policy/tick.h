/* What cold paths tell whoever learns, and the time they give him: called on
   cold paths now and then.  If nobody learns, or a thread of the library's own
   gives the time (thread/helper.h), a tick is one load.  Any thread; nobody
   waits.  */
#ifndef HKM_POLICY_TICK_H
#define HKM_POLICY_TICK_H

#include "base/atomic.h"
#include "base/compiler.h"
#include "base/size_class.h"

#ifdef HKM_WITH_LEARN

/* True while cold paths are to give the time: somebody learns, and no thread of
   our own does.  Release.  */
extern HKM_HIDDEN bool hkm_tick_asked;
/* True while cold paths are to tell what they see.  Release, so that they find
   where.  */
extern HKM_HIDDEN bool hkm_tick_told;

/* HOOK is called with the time when it is due, by one thread at a time, maybe
   under a heap's lock, and must not wait; it says when it is due again.  Cold
   paths tell what they see from here on.  Once, by init; false: no memory.  */
bool hkm_tick_begin (uint64_t (*hook) (uint64_t now_ms));

void hkm_tick_slow (void);
HKM_INLINE void
hkm_tick (void)
{
  if (hkm_unlikely (hkm_load_acquire (&hkm_tick_asked)))
    hkm_tick_slow ();
}

/* A thread of our own gives the time from here on, or gives it no more.  */
void hkm_tick_by_thread (bool yes);
/* Its tick; the milliseconds until the next is due, UINT64_MAX: none ever is.  */
uint64_t hkm_tick_run (void);

HKM_INLINE bool
hkm_tick_is_told (void)
{
  return hkm_unlikely (hkm_load_acquire (&hkm_tick_told));
}

/* Requests of mid size that refills saw, by size in units of 16 bytes, since
   they were last looked at (hkm_tick_sizes_take).  Two threads may count as
   one: this is a sample.  */
enum
{
  HKM_TICK_SIZE_FIRST = HKM_TINY_MAX / HKM_MIN_ALIGN + 1,
  HKM_TICK_SIZES = (HKM_MID_MAX - HKM_TINY_MAX) / HKM_MIN_ALIGN
};
void hkm_tick_note_size (size_t size);
/* Their number for (HKM_TICK_SIZE_FIRST + I) * 16 bytes, which is 0 then.  */
unsigned hkm_tick_size_take (unsigned i);

/* How long a cold call took, in nanoseconds, of some that were timed.  */
void hkm_tick_note_slow (uint64_t ns);
/* The next of those that were noted, but no more than the last
   HKM_TICK_SLOWS; false: there is none.  One reader.  */
enum { HKM_TICK_SLOWS = 256 };
bool hkm_tick_slow_take (uint32_t *ns);

/* While a thread holds them up no hook runs.  It must hold no lock; takes
   HKM_RANK_TICK.  */
void hkm_tick_hold (void);
void hkm_tick_go_on (void);

#else

HKM_INLINE void
hkm_tick (void)
{
}

HKM_INLINE void
hkm_tick_hold (void)
{
}

HKM_INLINE void
hkm_tick_go_on (void)
{
}

HKM_INLINE bool
hkm_tick_is_told (void)
{
  return false;
}

HKM_INLINE void
hkm_tick_note_size (size_t size)
{
  (void) size;
}

HKM_INLINE void
hkm_tick_note_slow (uint64_t ns)
{
  (void) ns;
}

#endif

#endif
