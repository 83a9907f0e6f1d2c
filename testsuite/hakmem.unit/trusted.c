/* os/file: what a program with AT_SECURE reads; that it has it is the test's
   word.  */
#include "check.h"
#include "os/file.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool secure;

bool
hkm_os_secure (void)
{
  return secure;
}

uint64_t
hkm_os_clock_ms (void)
{
  return 0;
}

static int
read_it (const char *path)
{
  char text[16];
  size_t n;
  return hkm_os_file_read_trusted (path, text, sizeof text, &n);
}

TEST (anything_without)
{
  char path[] = "/tmp/hkm-trusted-XXXXXX";
  int fd = mkstemp (path);
  secure = false;
  CHECK (fd >= 0 && fchmod (fd, 0666) == 0 && read_it (path) == 0);
  CHECK (read_it ("/etc/passwd") == 0);
  CHECK (read_it ("/nonexistent") == ENOENT);
  secure = true;
  CHECK (read_it (path) == EPERM);
  CHECK (read_it ("/nonexistent") == EPERM);
  close (fd);
  unlink (path);
}

TEST (only_below_etc)
{
  secure = true;
  CHECK (read_it ("/etc/passwd") == 0);
  CHECK (read_it ("/etc/nonexistent") == ENOENT);
  CHECK (read_it ("/etc/../etc/passwd") == EPERM);
  CHECK (read_it ("/etc/./../etc/passwd") == EPERM);
  CHECK (read_it ("//etc/passwd") == EPERM);
  CHECK (read_it ("/usr/bin/env") == EPERM);
  CHECK (read_it ("etc/passwd") == EPERM);
  CHECK (read_it ("/etc") == EPERM);
  CHECK (read_it ("/etc/") == EPERM); /* no file */
}

TEST (only_root_s)
{
  char path[] = "/etc/hkm-trusted-XXXXXX";
  int fd = mkstemp (path);
  secure = true;
  if (fd < 0)
    SKIP ("/etc can't be written");
  CHECK (fchmod (fd, 0644) == 0 && read_it (path) == 0);
  CHECK (fchmod (fd, 0664) == 0 && read_it (path) == EPERM);
  CHECK (fchmod (fd, 0646) == 0 && read_it (path) == EPERM);
  CHECK (fchmod (fd, 0644) == 0 && fchown (fd, 65534, 0) == 0
         && read_it (path) == EPERM);
  close (fd);
  unlink (path);
}

int
main (void)
{
  RUN (anything_without);
  RUN (only_below_etc);
  RUN (only_root_s);
  return check_done ();
}
