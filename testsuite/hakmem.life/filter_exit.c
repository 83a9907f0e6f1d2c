/* A process that filters its system calls before it ends, as sshd's child does
   before a login: files can't be opened, and any call that it has not foreseen,
   readlink for one, kills it.  The report and the policy that are to be written
   at its exit are then not written, which is all.  */
#include "../hakmem.concur/concur.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define RETURN(call, how)                                                     \
  BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
      BPF_STMT (BPF_RET | BPF_K, (how))

static bool
install (void)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    RETURN (openat, SECCOMP_RET_ERRNO | EACCES),
    RETURN (mmap, SECCOMP_RET_ALLOW), RETURN (munmap, SECCOMP_RET_ALLOW),
    RETURN (madvise, SECCOMP_RET_ALLOW), RETURN (getpid, SECCOMP_RET_ALLOW),
    RETURN (write, SECCOMP_RET_ALLOW), RETURN (exit_group, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = { sizeof code / sizeof *code, code };
  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

int
main (void)
{
  uint64_t random = 99;
  block_free (block_new (100, &random));
  if (!install ())
    {
      say ("no seccomp filters here (%d)", errno);
      _exit (77);
    }
  block_free (block_new (100, &random));
  verdict (true, "exit", "");
  return finish ();
}
