/* Which superslab slots come from: one that already holds the class before a
   fuller one that does not, the fullest before others, and resident slots before
   untouched ones.  */
#include "inside.h"

/* Two superslabs of the shared domain: FULLER has 20 slots taken, HOLDS 10 and
   a slab of 64-byte blocks; the rest of both is free.  */
static hkm_slab *fuller, *holds, *of_class;

static void
begin (void)
{
  bool zeroed;
  hkm_slab *fill;
  malloc_trim (0);
  fuller = hkm_run_acquire (20, &zeroed);
  fill = hkm_run_acquire (12, &zeroed); /* into the same one, to its end */
  CHECK (fill->super == fuller->super);
  holds = hkm_run_acquire (9, &zeroed);
  CHECK (holds->super != fuller->super);
  of_class = hkm_slab_acquire (HKM_CLASS_64);
  CHECK (of_class->super == holds->super);
  hkm_run_release (fill);
}

static void
end (void)
{
  hkm_slab_release (of_class);
  hkm_run_release (fuller);
  hkm_run_release (holds);
  malloc_trim (0);
}

static void
set_affinity (uint32_t on)
{
  hkm_policy p = policy_now ();
  p.affinity = on;
  CHECK (hkm_policy_publish (&p));
}

TEST (affinity)
{
  begin ();
  set_affinity (1);
  hkm_slab *s = hkm_slab_acquire (HKM_CLASS_64);
  CHECKF (s->super == holds->super,
          "not in the superslab that holds the class");
  hkm_slab_release (s);
  end ();
  begin ();
  set_affinity (0);
  s = hkm_slab_acquire (HKM_CLASS_64);
  CHECKF (s->super == fuller->super, "not in the fullest superslab");
  hkm_slab_release (s);
  set_affinity (1);
  end ();
}

/* A class that is nowhere yet goes to the fullest, so that others drain.  */
TEST (fullest_first)
{
  begin ();
  hkm_slab *s = hkm_slab_acquire (HKM_CLASS_256);
  CHECK (s->super == fuller->super);
  bool zeroed;
  hkm_slab *run = hkm_run_acquire (5, &zeroed);
  CHECK (run->super == fuller->super);
  hkm_run_release (run);
  hkm_slab_release (s);
  end ();
}

TEST (resident_slots_first)
{
  begin ();
  bool zeroed;
  hkm_superslab_trim (); /* what is free is untouched now */
  hkm_slab *low = hkm_run_acquire (1, &zeroed),
           *high = hkm_run_acquire (1, &zeroed);
  CHECK (low->super == high->super && zeroed);
  char *p = hkm_slab_address (high);
  hkm_run_release (high);
  hkm_slab *again = hkm_run_acquire (1, &zeroed);
  CHECK (hkm_slab_address (again) == p && !zeroed);
  hkm_run_release (again);
  hkm_run_release (low);
  end ();
}

int
main (void)
{
  free (malloc (1));
  RUN (affinity);
  RUN (fullest_first);
  RUN (resident_slots_first);
  return check_done ();
}
