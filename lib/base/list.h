/* An intrusive doubly linked ring with a head: O(1) insertion and removal,
   no allocation.  Not thread-safe.  */
#ifndef HKM_BASE_LIST_H
#define HKM_BASE_LIST_H

#include "base/compiler.h"

typedef struct hkm_link hkm_link;
struct hkm_link { hkm_link *next, *prev; };

HKM_INLINE void
hkm_list_init (hkm_link *head)
{
  head->next = head->prev = head;
}

HKM_INLINE bool
hkm_list_empty (const hkm_link *head)
{
  return head->next == head;
}

HKM_INLINE void
hkm_list_push (hkm_link *head, hkm_link *item) /* at the front */
{
  item->next = head->next;
  item->prev = head;
  head->next->prev = item;
  head->next = item;
}

HKM_INLINE void
hkm_list_append (hkm_link *head, hkm_link *item) /* at the back */
{
  hkm_list_push (head->prev, item);
}

HKM_INLINE void
hkm_list_remove (hkm_link *item)
{
  item->prev->next = item->next;
  item->next->prev = item->prev;
  item->next = item->prev = item;
}

#endif
