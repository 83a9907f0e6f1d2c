/* Block sizes that dynamic classes would earn most with, learned from sampled
   request sizes.

   A class of S bytes between the neighbours L < S < H serves the requests of
   L + 1 .. S bytes, and saves H - S for each.  Of all sizes only those that were
   requested (rounded up to 16) can be best: a smaller block for the same requests
   saves more.  So it is enough to know the frequent ones, and a sketch of 96 of
   them stands for the 1920 there are: Space-Saving (A. Metwally, D. Agrawal and
   A. El Abbadi, Efficient Computation of Frequent and Top-k Elements in Data
   Streams, 2005).  A size not known takes the place of the rarest and its count,
   as an error that is not counted here as demand: so sizes spread out without a
   peak count next to nothing, and what is seen as a peak is one.  1 KiB; the
   counts of all would be 3.8.

   All counts decay, by an eighth in each window with requests.  */
#ifndef HKM_LEARN_PEAKS_H
#define HKM_LEARN_PEAKS_H

#include "learn/fix.h"

enum
{
  HKM_PEAKS_SIZES = 96,
  HKM_PEAKS_PICKS = 2,
  HKM_PEAKS_CLASSES = 64, /* at most, beside these */
  HKM_PEAKS_OVER = 2048, /* sizes above this, ... */
  HKM_PEAKS_MAX = 32768  /* ... up to this */
};

typedef struct hkm_peaks
{
  uint32_t count[HKM_PEAKS_SIZES]; /* of requests, 16 each; 0: free */
  uint32_t error[HKM_PEAKS_SIZES]; /* at most so many of these are of others */
  uint16_t size[HKM_PEAKS_SIZES];
  uint64_t bytes;                  /* of all requests, 16 times */
  uint32_t samples;                /* 16 for each */
  uint32_t pick[HKM_PEAKS_PICKS];  /* what was chosen last; 0: nothing */
  bool fresh;                      /* something was added in this window */
} hkm_peaks;

#ifdef HKM_WITH_LEARN_DYN
/* All zero is the initial state.

   WEIGHT requests of SIZE bytes.  Others than mid sizes don't count.  */
void hkm_peaks_add (hkm_peaks *p, size_t size, uint32_t weight);
/* A window ends; an empty one changes nothing.  */
void hkm_peaks_decay (hkm_peaks *p);
/* Choose up to MOST sizes, p->pick[0 .. MOST - 1], 0 for none, beside the N
   classes of SIZES bytes, in any order.  Each saves SHARE or more of the bytes
   requested.  A size chosen before stays, in its place, while it saves half of
   that and no other a quarter more.  */
void hkm_peaks_pick (hkm_peaks *p, const uint32_t *sizes, unsigned n,
                     unsigned most, hkm_fix share);
/* What a class of SIZE bytes would save beside those, as a share of the bytes
   requested.  */
hkm_fix hkm_peaks_saving (const hkm_peaks *p, const uint32_t *sizes, unsigned n,
                          uint32_t size);
#else
HKM_INLINE void
hkm_peaks_add (hkm_peaks *p, size_t size, uint32_t weight)
{
  (void) p, (void) size, (void) weight;
}

HKM_INLINE void
hkm_peaks_decay (hkm_peaks *p)
{
  (void) p;
}
#endif

#endif
