/* Atomics by order-suffixed name only, so that every use states its order and
   a reader can ask what it pairs with.  Plain names never appear elsewhere.  */
#ifndef HKM_BASE_ATOMIC_H
#define HKM_BASE_ATOMIC_H

#define hkm_load_relaxed(p) __atomic_load_n ((p), __ATOMIC_RELAXED)
#define hkm_load_acquire(p) __atomic_load_n ((p), __ATOMIC_ACQUIRE)
#define hkm_load_seq_cst(p) __atomic_load_n ((p), __ATOMIC_SEQ_CST)
#define hkm_store_relaxed(p, v) __atomic_store_n ((p), (v), __ATOMIC_RELAXED)
#define hkm_store_release(p, v) __atomic_store_n ((p), (v), __ATOMIC_RELEASE)
#define hkm_store_seq_cst(p, v) __atomic_store_n ((p), (v), __ATOMIC_SEQ_CST)
#define hkm_exchange_acquire(p, v)                                            \
  __atomic_exchange_n ((p), (v), __ATOMIC_ACQUIRE)
#define hkm_exchange_acq_rel(p, v)                                            \
  __atomic_exchange_n ((p), (v), __ATOMIC_ACQ_REL)
#define hkm_exchange_seq_cst(p, v)                                            \
  __atomic_exchange_n ((p), (v), __ATOMIC_SEQ_CST)
#define hkm_fetch_add_relaxed(p, v)                                           \
  __atomic_fetch_add ((p), (v), __ATOMIC_RELAXED)
#define hkm_fetch_sub_relaxed(p, v)                                           \
  __atomic_fetch_sub ((p), (v), __ATOMIC_RELAXED)
#define hkm_fetch_add_acq_rel(p, v)                                           \
  __atomic_fetch_add ((p), (v), __ATOMIC_ACQ_REL)
#define hkm_fetch_sub_acq_rel(p, v)                                           \
  __atomic_fetch_sub ((p), (v), __ATOMIC_ACQ_REL)
#define hkm_fetch_and_acq_rel(p, v)                                           \
  __atomic_fetch_and ((p), (v), __ATOMIC_ACQ_REL)
#define hkm_fetch_or_acq_rel(p, v)                                            \
  __atomic_fetch_or ((p), (v), __ATOMIC_ACQ_REL)
/* Compare and swap: on failure *expected_ptr is the value found.  Strong.  */
#define hkm_cas_acquire(p, expected_ptr, v)                                   \
  __atomic_compare_exchange_n ((p), (expected_ptr), (v), false,               \
                               __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define hkm_cas_acq_rel(p, expected_ptr, v)                                   \
  __atomic_compare_exchange_n ((p), (expected_ptr), (v), false,               \
                               __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define hkm_cas_seq_cst(p, expected_ptr, v)                                   \
  __atomic_compare_exchange_n ((p), (expected_ptr), (v), false,               \
                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
/* Between two looks at what another thread is to change: the processor may give
   its resources to others.  (On arm64 `yield' does nothing where a core runs one
   thread; `isb' takes some ten cycles everywhere.)  */
#if defined __x86_64__ || defined __i386__
#define hkm_pause() __builtin_ia32_pause ()
#elif defined __aarch64__
#define hkm_pause() __asm__ volatile ("isb" ::: "memory")
#else
#define hkm_pause() __atomic_signal_fence (__ATOMIC_SEQ_CST)
#endif

#endif
