/* Linked with the library and run setuid: the kernel sets AT_SECURE.  Then no
   HAKMEM_ variable counts: HAKMEM_DISABLE is set, and yet malloc must be ours;
   nothing is printed, no file is written (the caller looks), not even one that
   the program asks for.  */
#include "../hakmem.concur/concur.h"
#include <sys/auxv.h>

extern const char *hakmem_version (void);
extern int hakmem_policy_save (const char *);

int
main (void)
{
  uint64_t random = 1;
  if (getauxval (AT_SECURE) == 0)
    {
      say ("set-user-id has no effect here");
      return 77;
    }
  for (int i = 0; i < 10000; i++)
    block_free (block_new (draw_size (&random, 16, 100000), &random));
  char *end = sbrk (0);
  char *p = malloc (5000);
  verdict (p < end - (1 << 20) || p >= end, "HAKMEM_DISABLE has no effect",
           "a block at %p, in libc's heap below %p", (void *) p, (void *) end);
  free (p);
  verdict (hakmem_version () != NULL, "the library is there", "no version");
  int error = hakmem_policy_save ("/tmp/no-such-policy");
  verdict (error == EPERM && access ("/tmp/no-such-policy", F_OK) != 0,
           "no policy is written", "error %d", error);
  return finish ();
}
