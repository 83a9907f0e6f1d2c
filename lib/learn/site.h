/* Site rules: large and big requests by who makes them.  A *site* is the return
   address of the call, told as file and offset; a rule gives it hints
   (base/hint.h).  Rules come from a file (learn/site_file.h), or are learned
   from sampled lifetimes for sites that have none (learn/lifetime.h).

   What calls of a dlopened file did is forgotten when another may have taken
   its place: hkm_site_forget.  Lock-free; any thread.  While neither a rule nor
   learning is in force nothing here is touched but one word.  */
#ifndef HKM_LEARN_SITE_H
#define HKM_LEARN_SITE_H

#include "base/atomic.h"
#include "base/hint.h"

#ifdef HKM_WITH_SITE_RULES

extern HKM_HIDDEN bool hkm_site_on; /* constant after hkm_site_init */

/* As the options say; called once, by init.  */
void hkm_site_init (void);
void hkm_site_forget_slow (void);
/* Write the rules in force and those learned to PATH.  0 or an errno value:
   EPERM under AT_SECURE, ENOTSUP if no rules were asked for.  */
int hkm_site_save (const char *path);

/* Only while this is true anything below need be called.  */
HKM_INLINE bool
hkm_sites_on (void)
{
  return hkm_unlikely (hkm_load_relaxed (&hkm_site_on));
}

/* What a block of SIZE bytes gets that is asked for from WHERE.  */
hkm_mark hkm_site_ask (const void *where, size_t size);
/* A block with MARK, not 0, is going to be freed: its hints of today.  */
hkm_mark hkm_site_leave (hkm_mark mark);

/* Another file is about to be mapped.  */
HKM_INLINE void
hkm_site_forget (void)
{
  if (hkm_sites_on ())
    hkm_site_forget_slow ();
}

#else

HKM_INLINE void
hkm_site_init (void)
{
}

HKM_INLINE bool
hkm_sites_on (void)
{
  return false;
}

HKM_INLINE hkm_mark
hkm_site_ask (const void *where, size_t size)
{
  (void) where, (void) size;
  return 0;
}

HKM_INLINE hkm_mark
hkm_site_leave (hkm_mark mark)
{
  return mark;
}

HKM_INLINE void
hkm_site_forget (void)
{
}

#endif

#endif
