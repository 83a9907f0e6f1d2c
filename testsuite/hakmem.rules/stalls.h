/* tiny/remote.c with places where a thread can be made to stop: what is hooked
   there runs once, in the thread that comes by first, between two of its
   steps.  Include it after inside.h, once.  */
#ifndef RULES_STALLS_H
#define RULES_STALLS_H

enum stall
{
  STALL_PUSHED,  /* blocks are on the slab's remote list, no notice is out */
  STALL_NOTICE,  /* the owner was read, the notice is not on its stack */
  STALL_STATE,   /* the notice is out, the owner's state was not looked at */
  STALL_COLLECT, /* a remote list was taken, its blocks are not home */
  STALLS
};
static void (*stalled[STALLS]) (void);

static void
stall (enum stall where)
{
  void (*hook) (void)
      = __atomic_exchange_n (&stalled[where], NULL, __ATOMIC_ACQ_REL);
  if (hook != NULL)
    hook ();
}

/* True if nobody came by WHERE since something was hooked there.  */
static UNUSED bool
never_came (enum stall where)
{
  return __atomic_exchange_n (&stalled[where], NULL, __ATOMIC_ACQ_REL) != NULL;
}

static UNUSED void
hook (enum stall where, void (*what) (void))
{
  __atomic_store_n (&stalled[where], what, __ATOMIC_RELEASE);
}

static void
counted (enum hkm_counter which)
{
  if (which == HKM_COUNT_REMOTE_PUSH)
    stall (STALL_PUSHED);
  if (which == HKM_COUNT_REMOTE_COLLECT)
    stall (STALL_COLLECT);
}

/* What stands between two steps in the source, and now stops there.  */
#undef hkm_cas_seq_cst
#define hkm_cas_seq_cst(p, expected_ptr, v)                                   \
  (stall (STALL_NOTICE),                                                      \
   __atomic_compare_exchange_n ((p), (expected_ptr), (v), false,              \
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
#undef hkm_load_seq_cst
#define hkm_load_seq_cst(p)                                                   \
  (stall (STALL_STATE), __atomic_load_n ((p), __ATOMIC_SEQ_CST))
#define hkm_count(counts, which, n)                                           \
  (counted (which), hkm_count ((counts), (which), (n)))

#include "tiny/remote.c"

#undef hkm_count

#endif
