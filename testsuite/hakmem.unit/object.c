/* os/object: which file is mapped where, as /proc/self/maps says.  */
#include "check.h"
#include "os/object.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int variable = 1;

static const char *
last_part (const char *path)
{
  const char *slash = strrchr (path, '/');
  return slash != NULL ? slash + 1 : path;
}

/* ADDRESS is of the file that the dynamic linker says it is.  */
static void
agrees (const void *address, bool program)
{
  char path[4096];
  hkm_os_object object;
  Dl_info info;
  if (!CHECK (dladdr (address, &info)))
    return;
  if (!CHECK (hkm_os_object_at ((uintptr_t) address, &object)))
    return;
  if (!CHECK (realpath (program ? "/proc/self/exe" : info.dli_fname, path)))
    return;
  CHECKF (strcmp (object.name, last_part (path)) == 0, "%s, not %s",
          object.name, path);
  CHECK (object.offset
         == (uintptr_t) address - (uintptr_t) info.dli_fbase);
  CHECK (object.program == program);
}

TEST (loaded_files)
{
  agrees ((void *) (uintptr_t) &test_loaded_files, true);
  agrees ((void *) (uintptr_t) &last_part, true);
  agrees ((void *) &variable, true);
  agrees (dlsym (RTLD_DEFAULT, "strtol"), false);
  hkm_os_object object;
  CHECK (hkm_os_object_program (&object) && object.program);
}

TEST (no_file)
{
  hkm_os_object object;
  int local = 0, saved;
  void *anonymous = mmap (NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
                          -1, 0);
  errno = saved = 4711;
  CHECK (!hkm_os_object_at ((uintptr_t) &local, &object));
  CHECK (!hkm_os_object_at ((uintptr_t) anonymous, &object));
  CHECK (!hkm_os_object_at (0, &object));
  CHECK (!hkm_os_object_at (UINTPTR_MAX, &object));
  if (getauxval (AT_SYSINFO_EHDR) != 0) /* [vdso] */
    CHECK (!hkm_os_object_at (getauxval (AT_SYSINFO_EHDR) + 64, &object));
  munmap (anonymous, 8192);
  CHECK (!hkm_os_object_at ((uintptr_t) anonymous, &object));
  CHECK (errno == saved);
}

/* The pages from FROM on of a file of that NAME, mapped; if GONE it is not there
   any more.  True: it is found under the name WANT, at its offset.  */
static bool
found (const char *dir, const char *name, size_t from, bool gone,
       const char *want)
{
  enum { SIZE = 16384 };
  char path[4096];
  hkm_os_object object = { .name = "" };
  snprintf (path, sizeof path, "%s/%s", dir, name);
  int fd = open (path, O_RDWR | O_CREAT, 0600);
  if (!CHECKF (fd >= 0 && ftruncate (fd, SIZE) == 0, "%s", path))
    return false;
  char *p = mmap (NULL, SIZE - from, PROT_READ, MAP_PRIVATE, fd, (off_t) from);
  close (fd);
  if (gone)
    unlink (path);
  bool is = hkm_os_object_at ((uintptr_t) p + 5000, &object)
            && object.offset == from + 5000 && !object.program
            && strcmp (object.name, want) == 0;
  munmap (p, SIZE - from);
  unlink (path);
  return is;
}

TEST (names)
{
  static char name[128];
  char dir[] = "/tmp/hkm-object-XXXXXX";
  if (!CHECK (mkdtemp (dir) != NULL))
    return;
  CHECK (found (dir, "lib+x.so.1", 0, false, "lib+x.so.1"));
  CHECK (found (dir, "lib+x.so.1", 4096, false, "lib+x.so.1"));
  CHECK (found (dir, "gone.so", 0, true, "gone.so"));
  memset (name, 'n', HKM_OBJECT_NAME - 1);
  CHECK (found (dir, name, 0, false, name));
  CHECK (found (dir, name, 0, true, name));
  name[HKM_OBJECT_NAME - 1] = 'n';
  CHECK (!found (dir, name, 0, false, name));
  CHECK (!found (dir, name, 0, true, name));
  memset (name, 'n', 100);
  CHECK (!found (dir, name, 0, false, name));
  CHECK (!found (dir, "with blank", 0, false, "with blank"));
  CHECK (!found (dir, "with blank", 0, true, "with blank"));
  CHECK (!found (dir, "a#b", 0, false, "a#b"));
  CHECK (found (dir, "new\nline", 0, false, "new\\012line"));
  /* A folder's name with all that in it says nothing.  */
  char path[4096];
  snprintf (path, sizeof path, "%s/a (deleted)\n- 7f00-7fff r-xp", dir);
  CHECK (mkdir (path, 0700) == 0);
  CHECK (found (path, "plain", 0, false, "plain"));
  rmdir (path);
  rmdir (dir);
}

int
main (void)
{
  RUN (loaded_files);
  RUN (no_file);
  RUN (names);
  return check_done ();
}
