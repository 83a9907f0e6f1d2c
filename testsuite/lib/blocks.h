/* Blocks with known content.  Every byte written depends on the block's
   address and a seed, so that a block handed out twice, moved wrongly or
   overlapped by another one shows.  Large blocks are written at both ends and
   once per page: a test is to spend its time in the allocator.  */
#ifndef BLOCKS_H
#define BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_DENSE 4096 /* bytes written in full at each end */
#define BLOCK_STEP 4096

/* xorshift64*: the same numbers for the same seed on every machine.  */
__attribute__ ((unused)) static uint64_t
rng_next (uint64_t *state)
{
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545f4914f6cdd1dull;
}

__attribute__ ((unused)) static uint64_t
rng_seed (uint64_t seed)
{
  return (seed + 1) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t
block_word (uint64_t seed, size_t offset)
{
  uint64_t x = (seed ^ offset) * 0x9e3779b97f4a7c15ull;
  return x ^ (x >> 29);
}

/* Visit [from, to) of P: write the pattern, or compare with it.  */
static inline bool
block_span (unsigned char *p, size_t from, size_t to, uint64_t seed, bool write)
{
  size_t i = from;
  for (; i + 8 <= to; i += 8)
    {
      uint64_t want = block_word (seed, i), got;
      if (write)
        memcpy (p + i, &want, 8);
      else if (memcpy (&got, p + i, 8), got != want)
        return false;
    }
  for (; i < to; i++)
    {
      unsigned char want = (unsigned char) (block_word (seed, i) >> 7);
      if (write)
        p[i] = want;
      else if (p[i] != want)
        return false;
    }
  return true;
}

static inline bool
block_visit (void *block, size_t size, uint64_t seed, bool write)
{
  unsigned char *p = (unsigned char *) block;
  if (size <= 2 * BLOCK_DENSE)
    return block_span (p, 0, size, seed, write);
  size_t tail = (size - BLOCK_DENSE) & ~(size_t) 7;
  bool good = block_span (p, 0, BLOCK_DENSE, seed, write);
  for (size_t i = BLOCK_DENSE; good && i + 8 <= tail; i += BLOCK_STEP)
    good = block_span (p, i, i + 8, seed, write);
  return good && block_span (p, tail, size, seed, write);
}

__attribute__ ((unused)) static void
block_fill (void *p, size_t size, uint64_t seed)
{
  block_visit (p, size, seed ^ (uint64_t) (uintptr_t) p, true);
}

__attribute__ ((unused)) static bool
block_good (void *p, size_t size, uint64_t seed)
{
  return block_visit (p, size, seed ^ (uint64_t) (uintptr_t) p, false);
}

/* True if a block of WAS bytes filled when it lay at OLD is now, at NEW_, right
   in its first KEPT bytes: in full up to BLOCK_DENSE, then where both are
   written.  */
__attribute__ ((unused)) static bool
block_kept (void *new_, size_t kept, size_t was, uintptr_t old, uint64_t seed)
{
  unsigned char *p = (unsigned char *) new_;
  uint64_t s = seed ^ (uint64_t) old;
  if (was <= 2 * BLOCK_DENSE)
    {
      /* The bytes after the last whole word were written singly.  */
      size_t words = was & ~(size_t) 7;
      if (kept <= words)
        return block_span (p, 0, kept & ~(size_t) 7, s, false);
      return block_span (p, 0, kept < was ? words : was, s, false);
    }
  size_t tail = (was - BLOCK_DENSE) & ~(size_t) 7;
  size_t dense = kept < BLOCK_DENSE ? kept & ~(size_t) 7 : BLOCK_DENSE;
  bool good = block_span (p, 0, dense, s, false);
  for (size_t i = BLOCK_DENSE; good && i + 8 <= tail && i + 8 <= kept;
       i += BLOCK_STEP)
    good = block_span (p, i, i + 8, s, false);
  if (good && kept >= was)
    good = block_span (p, tail, was, s, false);
  return good;
}

/* True if the SIZE bytes at P are zero; every byte is read.  */
__attribute__ ((unused)) static bool
block_zero (const void *block, size_t size)
{
  const unsigned char *p = (const unsigned char *) block;
  size_t i = 0;
  for (; i + 32 <= size; i += 32)
    {
      uint64_t w[4];
      memcpy (w, p + i, 32);
      if (w[0] | w[1] | w[2] | w[3])
        return false;
    }
  for (; i < size; i++)
    if (p[i])
      return false;
  return true;
}

/* Resident bytes of this process.  */
__attribute__ ((unused)) static size_t
resident_bytes (void)
{
  unsigned long total = 0, resident = 0;
  char text[128];
  size_t n = 0;
  FILE *f = fopen ("/proc/self/statm", "r");
  if (!f)
    return 0;
  n = fread (text, 1, sizeof text - 1, f);
  fclose (f);
  text[n] = 0;
  if (sscanf (text, "%lu %lu", &total, &resident) != 2)
    return 0;
  return resident * (size_t) sysconf (_SC_PAGESIZE);
}

#endif
