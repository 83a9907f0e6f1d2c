/* See site.h.  The table of sites is open-addressed, of fixed size, and never
   shrinks: an address has one entry for the process's life, and what it means
   is looked up once (os/object.h) and again after each dlopen.  When a new file
   lies where an old one did its sites get its own rules, and what was learned
   of the old ones is forgotten.  A file that libc opens for itself (gconv, nss)
   passes no wrapper of ours: a site of it at the very address of an old one
   keeps the old hints until the next dlopen, which costs memory or time, never
   more.  A full table means no hints for further sites.

   What is learned of a site is written by whoever has its `busy', which is only
   ever tried: a fork that cuts such a moment in half leaves the child a site of
   which it learns no more.  */
#include "learn/site.h"

#ifdef HKM_WITH_SITE_RULES

#include "base/text.h"
#include "learn/lifetime.h"
#include "learn/site_file.h"
#include "opts/opts.h"
#include "os/object.h"
#include "os/os.h"

#include <errno.h>

enum
{
  SITES = 1024,
  PROBES = 32 /* entries that an address may be in */
};

/* A site's word `known': hints in the low bits, then */
enum
{
  LEARNS = 16, /* it has no rule, and its file is known */
  STAYS = 32   /* the program's own: nothing takes its place */
};
/* and from bit 32 on the generation it was looked up in; 0: never.  */

/* Of a mark: bits 8 to 23, the number of its site, from 1, if it is sampled; 32
   to 63, when it was handed out, in milliseconds.  */

typedef struct site
{
  uintptr_t where; /* 0: nobody's; relaxed atomic, set once */
  uint64_t known;  /* relaxed atomic */
  uint64_t object; /* of which place the rest is, as a sum; 0: none yet; relaxed
                      atomic, written by whoever has `busy' */
  uint32_t watch;  /* when a sampled block was freed since the last request, odd;
                      0: none was; relaxed atomic */
  uint32_t chance; /* who comes next is drawn from it; relaxed atomic: two at
                      once may draw the same */
  uint32_t busy;   /* 1: somebody writes what follows */
  hkm_lifetime life;
} site;

typedef struct table
{
  hkm_site_rules rules; /* constant after init */
  site site[SITES];
} table;

bool hkm_site_on;
static bool learning;
static table *all;          /* constant after init */
static uint32_t generation; /* relaxed atomic */

/* A mapping sampled for each 1 MiB asked for, on average.  */
#define SAMPLE_BYTES ((uint64_t) 1 << 20)

static uint32_t
now_ms (void)
{
  return (uint32_t) hkm_os_clock_ms ();
}

/* ---- sites ---- */

/* The entry of WHERE; NULL: there is no room.  */
static site *
find (uintptr_t where)
{
  uint64_t mixed = where * UINT64_C (0x9e3779b97f4a7c15);
  for (unsigned i = 0; i < PROBES; i++)
    {
      site *s = &all->site[((mixed >> 40) + i) % SITES];
      uintptr_t has = hkm_load_relaxed (&s->where);
      /* Whoever comes second finds who was first in HAS.  */
      if (has == where
          || (has == 0 && (hkm_cas_acquire (&s->where, &has, where)
                           || has == where)))
        return s;
    }
  return NULL;
}

static bool
enter (site *s)
{
  uint32_t none = 0;
  return hkm_load_relaxed (&s->busy) == 0
         && hkm_cas_acquire (&s->busy, &none, 1);
}

/* Release: pairs with the acquire in enter.  */
static void
leave (site *s)
{
  hkm_store_release (&s->busy, 0);
}

static uint64_t
sum_of (const hkm_os_object *object)
{
  uint64_t sum = hkm_text_sum (object->name, hkm_text_size (object->name));
  sum = (sum ^ object->offset) * UINT64_C (0x9e3779b97f4a7c15);
  return sum | 1;
}

/* Sites of OBJECT are called S: if it was another's, what was learned is not
   of this one.  */
static void
belongs_to (site *s, const hkm_os_object *object)
{
  uint64_t sum = sum_of (object);
  if (hkm_load_relaxed (&s->object) == sum || !enter (s))
    return;
  hkm_store_relaxed (&s->object, sum);
  hkm_lifetime_init (&s->life);
  hkm_store_relaxed (&s->watch, 0);
  leave (s);
}

static unsigned
learned_hints (const hkm_lifetime *life)
{
  return life->hint == HKM_LIFETIME_DROP   ? HKM_HINT_NO_CACHE
         : life->hint == HKM_LIFETIME_KEEP ? HKM_HINT_CACHE
                                           : 0;
}

/* Find out what S is.  No lock is held; of two threads that do it at once both
   find the same, unless a file is mapped meanwhile, and then a generation is
   over.  */
static HKM_COLD uint64_t
look_up (site *s, uint32_t in)
{
  hkm_os_object object;
  uint64_t known = (uint64_t) in << 32;
  if (hkm_os_object_at (s->where, &object))
    {
      unsigned hints = hkm_site_rules_find (&all->rules, &object);
      known |= hints | (object.program ? STAYS : 0);
      if (hints == 0 && learning)
        {
          belongs_to (s, &object);
          known |= LEARNS;
        }
    }
  hkm_store_relaxed (&s->known, known);
  return known;
}

static uint64_t
known_of (site *s)
{
  uint32_t in = hkm_load_relaxed (&generation);
  uint64_t known = hkm_load_relaxed (&s->known);
  if (hkm_likely (known >> 32 == in || (known & STAYS) != 0))
    return known;
  return look_up (s, in);
}

void
hkm_site_forget_slow (void)
{
  hkm_fetch_add_relaxed (&generation, 1u);
}

/* ---- learning ---- */

/* What was learned of S, which the caller has, is its hint from now on; unless
   it was looked up anew meanwhile.  */
static void
publish (site *s)
{
  uint64_t known = hkm_load_relaxed (&s->known);
  uint64_t next = (known & ~(uint64_t) HKM_HINTS) | learned_hints (&s->life);
  if ((known & LEARNS) != 0 && next != known)
    (void) hkm_cas_acquire (&s->known, &known, next);
}

/* One in some requests of S, the more likely the larger they are.  */
static bool
is_sampled (site *s, size_t size)
{
  uint32_t x = hkm_load_relaxed (&s->chance);
  if (x == 0)
    x = (uint32_t) s->where | 1;
  x ^= x << 13; /* xorshift: Marsaglia 2003 */
  x ^= x >> 17;
  x ^= x << 5;
  hkm_store_relaxed (&s->chance, x);
  return (uint64_t) x * SAMPLE_BYTES >> 32 < size;
}

static hkm_mark
sample (site *s)
{
  uint32_t now = now_ms ();
  if (!enter (s))
    return 0;
  hkm_lifetime_born (&s->life, now);
  leave (s);
  return (hkm_mark) now << 32 | (hkm_mark) (s - all->site + 1) << 8;
}

/* A request came to S after a free that was watched.  */
static void
waited (site *s)
{
  uint32_t since = hkm_load_relaxed (&s->watch);
  if (since == 0 || !enter (s))
    return;
  since = hkm_load_relaxed (&s->watch);
  if (since != 0)
    {
      uint32_t wait = now_ms () - since;
      hkm_store_relaxed (&s->watch, 0);
      hkm_lifetime_waited (&s->life, (int32_t) wait < 0 ? 0 : wait);
      publish (s);
    }
  leave (s);
}

hkm_mark
hkm_site_ask (const void *where, size_t size)
{
  site *s = find ((uintptr_t) where);
  if (s == NULL)
    return 0;
  uint64_t known = known_of (s);
  if ((known & LEARNS) == 0)
    return known & HKM_HINTS;
  if (hkm_load_relaxed (&s->watch) != 0)
    waited (s);
  hkm_mark mark = is_sampled (s, size) ? sample (s) : 0;
  return mark | (hkm_load_relaxed (&s->known) & HKM_HINTS);
}

hkm_mark
hkm_site_leave (hkm_mark mark)
{
  unsigned number = mark >> 8 & 0xffff;
  if (number == 0 || number > SITES)
    return mark;
  site *s = &all->site[number - 1];
  uint32_t now = now_ms ();
  if (enter (s))
    {
      hkm_lifetime_died (&s->life, now - (uint32_t) (mark >> 32), now);
      if (hkm_load_relaxed (&s->watch) == 0)
        hkm_store_relaxed (&s->watch, now | 1);
      publish (s);
      leave (s);
    }
  return hkm_load_relaxed (&s->known) & HKM_HINTS;
}

/* ---- start and saving ---- */

void
hkm_site_init (void)
{
  const char *path = hkm_opt_text (HKM_OPT_SITE_RULES);
  size_t page = hkm_os_page_size ();
  size_t size = (sizeof *all + page - 1) & ~(page - 1);
  learning = hkm_opt (HKM_OPT_SITE_LEARN) != 0;
  if (path == NULL && !learning)
    return;
  all = hkm_os_map (size, page);
  if (all == NULL)
    return;
  hkm_store_relaxed (&generation, 1u);
  if (path != NULL)
    hkm_site_file_load (path, &all->rules);
  if (learning || all->rules.count != 0)
    hkm_store_relaxed (&hkm_site_on, true);
  else
    hkm_os_unmap (all, size);
}

/* Add what was learned of S to RULES, if it is still where it was.  */
static void
add_learned (hkm_site_rules *rules, site *s)
{
  hkm_os_object object;
  hkm_site_rule rule = { .hints = 0 };
  uint64_t known = hkm_load_relaxed (&s->known);
  if ((known & LEARNS) == 0 || (known & HKM_HINTS) == 0
      || !hkm_os_object_at (s->where, &object)
      || sum_of (&object) != hkm_load_relaxed (&s->object))
    return;
  rule.hints = known & HKM_HINTS;
  rule.offset = object.offset;
  for (size_t i = 0; i < sizeof rule.file; i++)
    rule.file[i] = object.name[i];
  if (object.program)
    {
      rule.file[0] = '-';
      rule.file[1] = '\0';
    }
  hkm_site_rules_add (rules, &rule);
}

HKM_COLD int
hkm_site_save (const char *path)
{
  if (hkm_os_secure ())
    return EPERM;
  if (!hkm_site_on)
    return ENOTSUP;
  size_t page = hkm_os_page_size ();
  size_t size = (sizeof (hkm_site_rules) + page - 1) & ~(page - 1);
  hkm_site_rules *rules = hkm_os_map (size, page);
  if (rules == NULL)
    return ENOMEM;
  for (uint32_t i = 0; i < all->rules.count; i++)
    hkm_site_rules_add (rules, &all->rules.rule[i]);
  for (unsigned i = 0; i < SITES; i++)
    if (hkm_load_relaxed (&all->site[i].where) != 0)
      add_learned (rules, &all->site[i]);
  int error = hkm_site_file_save (path, rules);
  hkm_os_unmap (rules, size);
  return error;
}

#endif
