/* base/lock: only one at a time is inside, nobody sleeps for ever, errno is
   kept; os/arena: nothing is handed out twice.  */
#include "base/lock.h"
#include "check.h"
#include "os/arena.h"
#include "os/os.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 6, ROUNDS = 100000 };

static hkm_lock lock = HKM_LOCK_INIT (HKM_RANK_BIG);
static unsigned long inside; /* guarded by lock */

static void *
count (void *by_try)
{
  for (int i = 0; i < ROUNDS; i++)
    {
      errno = 7;
      if (!by_try || !hkm_lock_try (&lock))
        hkm_lock_take (&lock);
      inside++;
      hkm_lock_give (&lock);
      CHECK (errno == 7);
    }
  return NULL;
}

TEST (exclusion)
{
  pthread_t thread[THREADS];
  inside = 0;
  for (long i = 0; i < THREADS; i++)
    pthread_create (&thread[i], NULL, count, (void *) (i & 1));
  for (int i = 0; i < THREADS; i++)
    pthread_join (thread[i], NULL);
  CHECKF (inside == (unsigned long) THREADS * ROUNDS, "%lu", inside);
  CHECK (lock.word == 0);
}

TEST (try_and_reset)
{
  CHECK (hkm_lock_try (&lock));
  CHECK (!hkm_lock_try (&lock));
  hkm_lock_reset (&lock);
  CHECK (hkm_lock_try (&lock));
  hkm_lock_give (&lock);
  CHECK (lock.rank == HKM_RANK_BIG);
}

static void *
take_memory (void *seed)
{
  enum { N = 3000 };
  static __thread unsigned char *p[N];
  unsigned char mark = (unsigned char) (long) seed;
  for (size_t i = 0; i < N; i++)
    {
      size_t align = (size_t) 8 << i % 8, size = 1 + i % 700;
      p[i] = hkm_arena_alloc (size, align);
      if (!CHECK (p[i] != NULL))
        return NULL;
      CHECK ((uintptr_t) p[i] % align == 0);
      for (size_t k = 0; k < size; k++)
        CHECK (p[i][k] == 0);
      memset (p[i], mark, size);
    }
  for (size_t i = 0; i < N; i++)
    for (size_t k = 0; k < 1 + i % 700; k++)
      CHECK (p[i][k] == mark);
  return NULL;
}

TEST (arena)
{
  pthread_t thread[4];
  size_t before = hkm_arena_used ();
  for (long i = 0; i < 4; i++)
    pthread_create (&thread[i], NULL, take_memory, (void *) (i + 1));
  for (int i = 0; i < 4; i++)
    pthread_join (thread[i], NULL);
  CHECK (hkm_arena_used () - before >= 4 * 3000 * 330);
  CHECK (hkm_arena_mapped () >= hkm_arena_used ());
}

int
main (void)
{
  hkm_os_start ();
  RUN (exclusion);
  RUN (try_and_reset);
  RUN (arena);
  return check_done ();
}
