/* Fork at every instruction: a thread walks through one free and one malloc of
   the hot path, stopped by the processor after each instruction, and at each
   stop another thread forks.  The child takes the stopped thread's heap over,
   which no lock protected: its lists must be whole, its counts made right, and
   no block lost but the one in the thread's hands.

   Cold calls are protected by locks: fork waits for each.  */
#include "inside.h"

#include <signal.h>
#include <ucontext.h>

#ifdef __x86_64__
enum { SIZE = 96, MANY = 3000, MOST_STEPS = 300, CHILD_SECONDS = 30 };

static actor walker;
static void *block[MANY];
static void *victim; /* the block that is freed, or was just handed out */
static sem_t stopped, go_on;
static bool stepping, finished;
static int steps;

/* The thread stops here after each instruction.  */
static void
on_trap (int sig UNUSED)
{
  if (!stepping)
    return;
  steps++;
  sem_post (&stopped);
  while (sem_wait (&go_on) != 0)
    ;
}

#define TRAP_FLAG 0x100
static __attribute__ ((noinline)) void
step_on (void)
{
  __asm__ volatile ("pushfq; orq %0, (%%rsp); popfq" : : "i" (TRAP_FLAG)
                    : "memory", "cc");
}
static __attribute__ ((noinline)) void
step_off (void)
{
  __asm__ volatile ("pushfq; andq %0, (%%rsp); popfq" : : "i" (~TRAP_FLAG)
                    : "memory", "cc");
}

static void
walk_through (void *what)
{
  stepping = true;
  if (what == NULL)
    {
      step_on ();
      victim = malloc (SIZE);
      step_off ();
    }
  else
    {
      step_on ();
      free (what);
      step_off ();
    }
  stepping = false;
  finished = true;
  sem_post (&stopped);
}

/* True if every block on LIST says that it is free: a child that handed it out
   later would else not know it when it is freed twice.  */
static bool
all_marked_free (const hkm_block *list)
{
  for (const hkm_block *b = list; b != NULL; b = hkm_block_next (b))
    if (b->key != hkm_block_key (b))
      return false;
  return true;
}

static bool
bin_is_marked (const hkm_heap *heap, unsigned cls)
{
  const hkm_bin *bin = &heap->bin[cls];
  const hkm_link *lists[] = { &bin->partial, &bin->full };
  for (int i = 0; i < 2; i++)
    for (const hkm_link *l = lists[i]->next; l != lists[i]; l = l->next)
      if (!all_marked_free (
              hkm_slot_first (&hkm_container_of (l, hkm_slab, link)->own)))
        return false;
  return all_marked_free (hkm_slot_first (&heap->front.slot[cls]));
}

/* In the child: a new thread gets the heap of the thread that stopped.  */
static void
inherit (void *arg UNUSED)
{
  free (malloc (1));
}

static int
child_life (void)
{
  static actor heir;
  alarm (CHILD_SECONDS);
  hkm_heap *torn = walker.heap;
  actor_start (&heir);
  act (&heir, inherit, NULL);
  if (heir.heap != torn || torn->torn)
    return 3;
  /* All of the heap's slabs are looked at by the walkers; when every block is
     freed, each slab but that of the block in flight must be empty.  */
  hkm_lock_take (&torn->lock);
  hkm_heap_walk_locked (torn);
  bool marked = bin_is_marked (torn, hkm_size_to_class (SIZE));
  hkm_heap_unlock (torn);
  if (!marked)
    return 6;
  static void *mine[MANY];
  batch all = { mine, 0, SIZE };
  for (int i = 0; i < MANY; i++)
    if (block[i] != NULL && block[i] != victim)
      mine[all.n++] = block[i];
  act (&heir, job_free, &all);
  hkm_lock_take (&torn->lock);
  hkm_heap_strip_locked (torn);
  hkm_heap_walk_locked (torn);
  uint32_t left = torn->bin[hkm_size_to_class (SIZE)].slabs;
  hkm_heap_unlock (torn);
  if (left > 1)
    return 4;
  /* And the heap serves: no block twice.  */
  static void *again[MANY];
  batch more = { again, MANY, SIZE };
  act (&heir, job_malloc, &more);
  for (int i = 0; i < MANY; i++)
    {
      memset (again[i], 0, SIZE);
      memcpy (again[i], &i, sizeof i);
    }
  for (int i = 0; i < MANY; i++)
    if (memcmp (again[i], &i, sizeof i) != 0)
      return 5;
  return 0;
}

/* Have WALKER go through one call, and fork at each of its instructions.  */
static void
fork_along (void *what)
{
  int broken = 0, first = 0, how = 0;
  steps = 0;
  finished = false;
  actor_begin (&walker, walk_through, what);
  for (;;)
    {
      while (sem_wait (&stopped) != 0)
        ;
      if (finished)
        break;
      if (steps <= MOST_STEPS)
        {
          int status = -1;
          pid_t child = fork ();
          if (child == 0)
            _exit (child_life ());
          if (waitpid (child, &status, 0) != child || status != 0)
            {
              if (broken++ == 0)
                first = steps, how = status;
            }
        }
      sem_post (&go_on);
    }
  actor_wait (&walker);
  CHECKF (broken == 0, "%d of %d children broke, the first at instruction %d "
          "with status %#x", broken, steps, first, how);
  CHECKF (steps > 20 && steps <= MOST_STEPS, "%d instructions", steps);
}

static void
begin (void)
{
  batch all = { block, MANY, SIZE };
  actor_start (&walker);
  act (&walker, job_malloc, &all);
}

static void
end (void)
{
  for (int i = 0; i < MANY; i++)
    free (block[i]);
  actor_end (&walker);
  malloc_trim (0);
}

/* Into a full slab, whose countdown is its own.  */
TEST (free_to_a_full_slab)
{
  begin ();
  victim = block[MANY / 3];
  hkm_slab *slab = slab_of (victim);
  CHECK (slab->state == HKM_SLAB_FULL);
  block[MANY / 3] = NULL;
  fork_along (victim);
  CHECK (hkm_slab_home (slab) == 1);
  end ();
}

/* Into the front slot.  */
TEST (free_to_the_current_slab)
{
  begin ();
  victim = block[MANY - 1];
  CHECK (slab_of (victim)->state == HKM_SLAB_CURRENT);
  block[MANY - 1] = NULL;
  fork_along (victim);
  end ();
}

/* The free that leaves a slab with one block out: a countdown that is one too
   high would never reach zero.  */
TEST (free_of_the_last_but_one)
{
  begin ();
  hkm_slab *slab = slab_of (block[MANY / 3]);
  void *some[MANY];
  batch most = { some, 0, SIZE };
  for (int i = 0; i < MANY; i++)
    if (slab_of (block[i]) == slab)
      {
        some[most.n++] = block[i];
        block[i] = NULL;
      }
  most.n -= 2;
  act (&walker, job_free, &most);
  victim = some[most.n];
  block[0] = block[0] == NULL ? some[most.n + 1] : block[0];
  bool kept = block[0] == some[most.n + 1];
  CHECK (slab->own.room == 2);
  fork_along (victim);
  CHECK (slab->own.room == 1);
  if (!kept)
    free (some[most.n + 1]);
  end ();
}

TEST (malloc_from_the_front)
{
  begin ();
  for (int i = 1; i <= 10; i++)
    {
      act (&walker, job_free_one, block[MANY - i]);
      block[MANY - i] = NULL;
    }
  victim = NULL;
  fork_along (NULL);
  CHECK (victim != NULL);
  free (victim);
  end ();
}

int
main (void)
{
  struct sigaction trap = { .sa_handler = on_trap };
  sigaction (SIGTRAP, &trap, NULL);
  sem_init (&stopped, 0, 0);
  sem_init (&go_on, 0, 0);
  setenv ("HAKMEM_TINY_WARM_CAP", "0", 1);
  free (malloc (1));
  RUN (free_to_a_full_slab);
  RUN (free_to_the_current_slab);
  RUN (free_of_the_last_but_one);
  RUN (malloc_from_the_front);
  return check_done ();
}
#else
int
main (void)
{
  puts ("single steps are taken on x86-64 alone");
  return 77;
}
#endif
