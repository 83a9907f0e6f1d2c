/* See peaks.h.  */
#include "learn/peaks.h"

enum
{
  ONE = 16,           /* a count: decay leaves fractions */
  LEAST_SAMPLES = 64, /* fewer say nothing */
  WEIGHT_MOST = 1 << 26,
  COUNT_MOST = 1 << 30
};

static void
scale (hkm_peaks *p, unsigned n, unsigned d)
{
  for (unsigned i = 0; i < HKM_PEAKS_SIZES; i++)
    {
      p->count[i] = (uint32_t) ((uint64_t) p->count[i] * n / d);
      p->error[i] = (uint32_t) ((uint64_t) p->error[i] * n / d);
    }
  p->bytes = p->bytes / d * n;
}

/* The place of SIZE, or the one that it takes.  */
static unsigned
place (const hkm_peaks *p, uint32_t size)
{
  unsigned rarest = 0;
  for (unsigned i = 0; i < HKM_PEAKS_SIZES; i++)
    {
      if (p->size[i] == size && p->count[i] != 0)
        return i;
      if (p->count[i] < p->count[rarest])
        rarest = i;
    }
  return rarest;
}

void
hkm_peaks_add (hkm_peaks *p, size_t size, uint32_t weight)
{
  if (size <= HKM_PEAKS_OVER || size > HKM_PEAKS_MAX || weight == 0)
    return;
  weight = (weight < WEIGHT_MOST ? weight : WEIGHT_MOST) * ONE;
  uint32_t block = (uint32_t) (size + 15) & ~(uint32_t) 15;
  unsigned at = place (p, block);
  while (p->count[at] > COUNT_MOST)
    scale (p, 1, 2);
  if (p->size[at] != block || p->count[at] == 0)
    {
      p->size[at] = (uint16_t) block;
      p->error[at] = p->count[at];
    }
  p->count[at] += weight;
  p->bytes += (uint64_t) weight * block;
  p->samples += p->samples < COUNT_MOST ? ONE : 0;
  p->fresh = true;
}

void
hkm_peaks_decay (hkm_peaks *p)
{
  if (!p->fresh)
    return;
  scale (p, 7, 8);
  p->samples = p->samples / 8 * 7;
  p->fresh = false;
}

hkm_fix
hkm_peaks_saving (const hkm_peaks *p, const uint32_t *sizes, unsigned n,
                  uint32_t size)
{
  uint32_t below = 0, above = UINT32_MAX;
  for (unsigned i = 0; i < n; i++)
    {
      if (sizes[i] <= size && sizes[i] > below)
        below = sizes[i];
      if (sizes[i] > size && sizes[i] < above)
        above = sizes[i];
    }
  if (above == UINT32_MAX)
    return 0;
  uint64_t demand = 0;
  for (unsigned i = 0; i < HKM_PEAKS_SIZES; i++)
    if (p->size[i] > below && p->size[i] <= size)
      demand += p->count[i] - p->error[i];
  return hkm_fix_ratio (demand * (above - size), p->bytes);
}

/* The size that saves most beside SIZES, and how much.  */
static uint32_t
best_size (const hkm_peaks *p, const uint32_t *sizes, unsigned n, hkm_fix *saving)
{
  uint32_t best = 0;
  *saving = 0;
  for (unsigned i = 0; i < HKM_PEAKS_SIZES; i++)
    {
      hkm_fix s = hkm_peaks_saving (p, sizes, n, p->size[i]);
      if (s > *saving)
        *saving = s, best = p->size[i];
    }
  return best;
}

HKM_COLD void
hkm_peaks_pick (hkm_peaks *p, const uint32_t *sizes, unsigned n, unsigned most,
                hkm_fix share)
{
  uint32_t all[HKM_PEAKS_CLASSES + HKM_PEAKS_PICKS];
  n = n < HKM_PEAKS_CLASSES ? n : HKM_PEAKS_CLASSES;
  most = most < HKM_PEAKS_PICKS ? most : HKM_PEAKS_PICKS;
  for (unsigned i = 0; i < n; i++)
    all[i] = sizes[i];
  for (unsigned k = 0; k < HKM_PEAKS_PICKS; k++)
    if (k >= most)
      p->pick[k] = 0;
  if (p->samples < LEAST_SAMPLES * ONE)
    return;
  for (unsigned k = 0; k < most; k++)
    {
      unsigned others = n;
      for (unsigned i = 0; i < most; i++)
        if (i != k && p->pick[i] != 0)
          all[others++] = p->pick[i];
      hkm_fix had = hkm_peaks_saving (p, all, others, p->pick[k]), saving;
      uint32_t best = best_size (p, all, others, &saving);
      if (had < share / 2)
        had = 0, p->pick[k] = 0;
      if (saving >= share && saving > had + had / 4)
        p->pick[k] = best;
    }
}
