/* Libraries to preload that are not to be: one thing wrong with each.  Nothing is
   called of libc, which one of them does not name.  */
#if defined DIES
__attribute__ ((constructor)) static void
start (void)
{
  __builtin_trap ();
}
#elif defined PRINTS
# include <unistd.h>
__attribute__ ((constructor)) static void
start (void)
{
  if (write (STDERR_FILENO, "a word too many\n", 16) != 16)
    _exit (1);
}
#elif defined NEEDS_VERSION
void gone (void);
__attribute__ ((constructor)) static void
start (void)
{
  gone ();
}
#elif defined STUB
/* The C library that NEEDS_VERSION is linked with.  */
void
gone (void)
{
}
#endif

int
preloads_nothing (void)
{
  return 0;
}
