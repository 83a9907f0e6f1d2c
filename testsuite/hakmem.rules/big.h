/* What the big blocks' room says of itself, for tests that look inside while no
   other thread is at work.  */
#ifndef RULES_BIG_H
#define RULES_BIG_H

#include "big/cache.h"

enum { MIB = 1 << 20 };
enum { LRU, BEST, DECAY, KEEP };

static hkm_counts counted; /* by the last call of facts */

static UNUSED hkm_big_facts
facts (void)
{
  hkm_big_facts f;
  counted = (hkm_counts){ { 0 } };
  hkm_big_facts_get (&f, &counted);
  return f;
}

static UNUSED void
set_strategy (uint32_t strategy)
{
  hkm_policy p = policy_now ();
  p.bigcache_strategy = strategy;
  CHECK (hkm_policy_publish (&p));
}

static UNUSED const hkm_big *
big_of (const void *p)
{
  return (const hkm_big *) slab_of (p);
}

/* Blocks that a test has, NULL among them, and what they hold.  */
typedef struct kept { char *p; size_t size; uint64_t seed; } kept;

static UNUSED bool
accounts_are_right (const kept *k, int n)
{
  uint64_t bytes = 0, count = 0, page = hkm_os_page_size () - 1;
  hkm_big_facts f = facts ();
  for (int i = 0; i < n; i++)
    if (k[i].p != NULL)
      {
        count++;
        bytes += (k[i].size + page) & ~page;
      }
  return CHECKF (f.count == count && f.bytes == bytes,
                 "%llu blocks of %llu bytes; in truth %llu of %llu",
                 (unsigned long long) f.count, (unsigned long long) f.bytes,
                 (unsigned long long) count, (unsigned long long) bytes)
         && CHECKF (hkm_retain_idle () == f.idle_bytes,
                    "%zu idle in all, %llu big", hkm_retain_idle (),
                    (unsigned long long) f.idle_bytes);
}

#endif
