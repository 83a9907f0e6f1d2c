/* Between dlopen.c and dlopen_jump.S; private to them.  Read by the assembler
   too.  */
#ifndef HKM_API_DLOPEN_H
#define HKM_API_DLOPEN_H

/* Machines that dlopen_jump.S knows.  On others dlopen is not wrapped and
   RTLD_DEEPBIND is not removed.  */
#if defined __x86_64__ || defined __aarch64__ || defined __i386__
#define HKM_DLOPEN_JUMP 1
#endif

#if !defined __ASSEMBLER__ && defined HKM_DLOPEN_JUMP
/* Change *MODE as the policy says; the address to jump to.  */
void *hkm_dlopen_prepare (int *mode);
void *hkm_dlmopen_prepare (long nsid, int *mode);
#endif

#endif
