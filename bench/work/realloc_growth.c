/* Growth by realloc: a vector that grows to many MiB, each time by a part of
   what it is, and is written all along; then many small strings that grow step
   by step, a table of them side by side.

     realloc_growth [mib [percent [strings [length [step]]]]]

   The vector grows by `percent` to `mib` MiB, strings by `step` bytes to
   `length`.  ops are calls of realloc, those that allocate with them.  Also
   printed: vector_seconds, strings_seconds.  */
#include "work.h"

enum { MIB, PERCENT, STRINGS, LENGTH, STEP };

static struct work_arg args[] = {
  [MIB] = { "mib", 256, 1, 1 << 20 },
  [PERCENT] = { "percent", 25, 1, 1000 },
  [STRINGS] = { "strings", 100000, 1, WORK_MANY },
  [LENGTH] = { "length", 1000, 16, WORK_MANY },
  [STEP] = { "step", 24, 1, WORK_MANY },
};

static void *
grow (void *old, size_t size)
{
  void *block = realloc (old, size);
  if (!block)
    work_die ("realloc (%zu) fails", size);
  return block;
}

/* Returns the calls of realloc.  */
static long
vector (size_t most, size_t percent)
{
  enum { FIRST = 512 };         /* elements */
  uint64_t *element = NULL;
  size_t count = 0, room = FIRST;
  long calls = 0;
  while (count < most / sizeof *element)
    {
      room += calls ? room / 100 * percent + 1 : 0;
      if (room > most / sizeof *element)
        room = most / sizeof *element;
      element = grow (element, room * sizeof *element);
      calls++;
      for (; count < room; count++)
        element[count] = count;
    }
  for (size_t i = 0; i < count; i += FIRST)
    if (element[i] != i)
      work_die ("element %zu does not hold what was written", i);
  free (element);
  return calls;
}

/* TABLE strings at a time; each begins with its size, ends with its index.  */
static long
strings (long count, size_t length, size_t step)
{
  enum { TABLE = 64 };
  long calls = 0;
  for (; count > 0; count -= TABLE)
    {
      void *string[TABLE] = { NULL };
      long table = count < TABLE ? count : TABLE;
      for (size_t size = 16; size <= length; size += step)
        for (long i = 0; i < table; i++, calls++)
          {
            char *old = string[i];
            size_t before = old ? ((uint32_t *) old)[0] : 0;
            char *now = grow (old, size);
            if (before && (((uint32_t *) now)[0] != before
                           || now[before - 1] != (char) i))
              work_die ("string %p lost its content", (void *) now);
            memset (now + before, 'a', size - before);
            ((uint32_t *) now)[0] = (uint32_t) size;
            now[size - 1] = (char) i;
            string[i] = now;
          }
      for (long i = 0; i < table; i++)
        free (string[i]);
    }
  return calls;
}

int
main (int argc, char **argv)
{
  char more[96];
  WORK_ARGUMENTS (argc, argv, args);
  work_start ();
  long calls = vector ((size_t) args[MIB].value << 20,
                       (size_t) args[PERCENT].value);
  work_stop ();
  double first = work_seconds;
  work_start ();
  calls += strings (args[STRINGS].value, (size_t) args[LENGTH].value,
                    (size_t) args[STEP].value);
  work_stop ();
  snprintf (more, sizeof more, "vector_seconds=%.6f strings_seconds=%.6f",
            first, work_seconds - first);
  work_report (calls, more);
  return 0;
}
