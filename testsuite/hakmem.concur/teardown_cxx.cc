/* Allocation in C++'s late places: destructors of thread_local objects, which
   run before those of keys, and of static objects, which run after main.  */
#include "concur.h"

namespace
{

enum { BLOCKS = 64, THREADS = 500 };

block *inherited[BLOCKS];

/* Makes blocks when a thread first touches it; frees half, makes others and
   leaves those to the main thread when the thread ends.  */
struct keeper
{
  block *mine[BLOCKS];
  uint64_t random;

  keeper () : random (mix ((uintptr_t) this))
  {
    for (int i = 0; i < BLOCKS; i++)
      mine[i] = block_new (draw_size (&random, 16, 40000), &random);
  }
  ~keeper ()
  {
    for (int i = 0; i < BLOCKS; i++)
      {
        block_free (mine[i]);
        block *late = block_new (draw_size (&random, 16, 3000), &random);
        block_free (block_swap (&inherited[i], late));
      }
  }
};

thread_local keeper kept;

void *
touch (void *)
{
  block_check (kept.mine[0]);
  return nullptr;
}

/* Two static objects: the first made is the last destroyed.  */
struct last
{
  uint64_t random = 1;
  ~last ()
  {
    for (int i = 0; i < BLOCKS; i++)
      block_free (block_swap (&inherited[i], nullptr));
    block_free (block_new (100000, &random));
    verdict (true, "last static destructor", "content");
    if (finish () != 0)
      _exit (1);
  }
} last_object;

struct holder
{
  block *set[BLOCKS];
  uint64_t random = 2;
  holder ()
  {
    for (int i = 0; i < BLOCKS; i++)
      set[i] = block_new (draw_size (&random, 16, 4000000), &random);
  }
  ~holder ()
  {
    for (int i = 0; i < BLOCKS; i++)
      block_free (set[i]);
    verdict (true, "static destructor", "content");
  }
} static_object;

} // namespace

int
main ()
{
  pthread_t id[4];
  for (int i = 0; i < THREADS / 4; i++)
    {
      for (pthread_t &t : id)
        t = thread_start (touch, nullptr);
      for (pthread_t t : id)
        pthread_join (t, nullptr);
    }
  touch (nullptr);
  verdict (true, "thread_local destructors", "content");
  return 0;
}
