/* learn/site_file: rules written by hand, a line at a time; rules written by the
   library, whole or not at all.  */
#include "check.h"
#include "learn/site_file.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/hkm-sites-XXXXXX", file[64];
static hkm_site_rules rules;

static void
write_file (const char *text, size_t n)
{
  int fd = open (file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK (fd >= 0 && write (fd, text, n) == (ssize_t) n && close (fd) == 0);
}

static uint32_t
load (const char *text, size_t n)
{
  write_file (text, n);
  rules.count = 0;
  hkm_site_file_load (file, &rules);
  return rules.count;
}

static unsigned
find (const char *name, uintptr_t offset, bool program)
{
  hkm_os_object object = { .program = program, .offset = offset };
  strcpy (object.name, name);
  return hkm_site_rules_find (&rules, &object);
}

#define LOAD(text) load (text, sizeof text - 1)

TEST (good_lines)
{
  CHECK (LOAD ("") == 0);
  CHECK (LOAD ("# nothing\n\n \t\n") == 0);
  CHECK (LOAD ("-+0x12aB no-cache\nlibstdc++.so.6.0.30+0x10 thp,exact # why\n"
               "\ta+0x0+0x7fffffffffffffff  cache \r\n"
               "last+0x1 exact") == 4);
  CHECK (find ("prog", 0x12ab, true) == HKM_HINT_NO_CACHE);
  CHECK (find ("-", 0x12ab, false) == HKM_HINT_NO_CACHE); /* a file's name */
  CHECK (find ("prog", 0x12ab, false) == 0);
  CHECK (find ("prog", 0x12ac, true) == 0);
  CHECK (find ("libstdc++.so.6.0.30", 16, false)
         == (HKM_HINT_THP | HKM_HINT_EXACT));
  CHECK (find ("libstdc++.so.6.0.30", 16, true)
         == (HKM_HINT_THP | HKM_HINT_EXACT));
  CHECK (find ("libstdc++.so.6", 16, false) == 0);
  CHECK (find ("a+0x0", 0x7fffffffffffffff, false) == HKM_HINT_CACHE);
  CHECK (find ("last", 1, false) == HKM_HINT_EXACT);
  /* The first rule for a place counts.  */
  CHECK (LOAD ("x+0x1 cache\nx+0x1 no-cache\n") == 1);
  CHECK (find ("x", 1, false) == HKM_HINT_CACHE);
}

TEST (bad_lines)
{
  static const char *const bad[] = {
    "x", "x+0x", "x+0x1", "x+0x1 ", "x+0x1 cash", "x+0x1 cache,",
    "x+0x1 ,cache", "x+0x1 cache thp", "x+0x1 cache, thp",
    "x+0x1 cache,no-cache", "x+1 cache", "x+0x1g cache", "+0x1 cache",
    "/lib/x+0x1 cache", "x +0x1 cache", "x+0x11112222333344445 cache",
    "x+0x1 no-cach", "x+0x1 no-cachee", "x+0x-1 cache", "x+0x1,cache",
    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn+0x1 cache",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
      char text[256];
      int n = snprintf (text, sizeof text, "a+0x5 thp\n%s\nb+0x5 exact\n",
                        bad[i]);
      CHECKF (load (text, (size_t) n) == 2 && find ("a", 5, false)
              && find ("b", 5, false), "%s", bad[i]);
    }
  CHECK (LOAD ("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn+0x1 thp") == 1);
  CHECK (load ("a\0+0x1 thp\nb+0x1 thp", 20) == 2); /* as letters */
}

/* No more rules than there is room for, and no more text.  */
TEST (too_much)
{
  static char text[200000];
  size_t n = 0;
  for (int i = 0; i < HKM_SITE_RULES + 3; i++)
    n += (size_t) snprintf (text + n, 40, "x+0x%x thp\n", (unsigned) i);
  CHECK (load (text, n) == HKM_SITE_RULES);
  n = 0;
  while (n < 65536)
    n += (size_t) snprintf (text + n, 40, "x+0x1 thp\n");
  CHECK (load (text, 65536) == 1);
  CHECK (load (text, 65537) == 0);
  CHECK (load (text, sizeof text) == 0);
  memset (text, 'x', sizeof text);
  CHECK (load (text, 65536) == 0);
}

static size_t
saved (char *text, size_t size)
{
  hkm_site_rule rule = { .offset = 0x1234, .hints = HKM_HINT_NO_CACHE };
  rules.count = 0;
  strcpy (rule.file, "-");
  hkm_site_rules_add (&rules, &rule);
  strcpy (rule.file, "lib.so");
  rule.hints = HKM_HINTS & ~HKM_HINT_NO_CACHE;
  hkm_site_rules_add (&rules, &rule);
  CHECK (hkm_site_file_save (file, &rules) == 0);
  int fd = open (file, O_RDONLY);
  ssize_t n = read (fd, text, size);
  close (fd);
  return n > 0 ? (size_t) n : 0;
}

TEST (written_and_read)
{
  char text[4096];
  size_t n = saved (text, sizeof text);
  CHECK (n > 60 && load (text, n) == 2);
  CHECK (find ("x", 0x1234, true) == HKM_HINT_NO_CACHE);
  CHECK (find ("lib.so", 0x1234, false)
         == (HKM_HINTS & ~HKM_HINT_NO_CACHE));
  /* As many of the longest as there can be.  */
  hkm_site_rule rule = { .hints = HKM_HINT_NO_CACHE | HKM_HINT_THP
                                  | HKM_HINT_EXACT };
  memset (rule.file, 'n', sizeof rule.file - 1);
  rules.count = 0;
  for (uint64_t i = 0; i < HKM_SITE_RULES + 2; i++)
    {
      rule.offset = UINT64_MAX - i;
      hkm_site_rules_add (&rules, &rule);
    }
  CHECK (rules.count == HKM_SITE_RULES);
  CHECK (hkm_site_file_save (file, &rules) == 0);
  rules.count = 0;
  hkm_site_file_load (file, &rules);
  CHECK (rules.count == HKM_SITE_RULES
         && rules.rule[HKM_SITE_RULES - 1].hints == rule.hints);
  CHECK (hkm_site_file_save ("/nonexistent/file", &rules) == ENOENT);
  rules.count = 0;
  hkm_site_file_load ("/nonexistent/file", &rules);
  hkm_site_file_load (dir, &rules);
  CHECK (rules.count == 0);
}

/* Cut at any place, or any byte changed: nothing of it counts.  */
TEST (whole_or_nothing)
{
  char text[4096], other[4096];
  size_t n = saved (text, sizeof text);
  for (size_t cut = 0; cut < n; cut++)
    CHECKF (load (text, cut) == 0, "cut to %zu", cut);
  for (size_t at = 0; at < n; at++)
    for (int bit = 0; bit < 8; bit++)
      {
        memcpy (other, text, n);
        other[at] ^= (char) (1 << bit);
        CHECKF (load (other, n) == 0, "byte %zu, bit %d", at, bit);
      }
  memcpy (other, text, n);
  memcpy (other + n, "x+0x1 thp\n", 10);
  CHECK (load (other, n + 10) == 0);
}

/* As the library writes it, but for its own sum, all of another program.  */
TEST (of_another_program)
{
  char text[4096], line[64];
  size_t n = saved (text, sizeof text);
  char *name = memmem (text, n, "program ", 8);
  if (!CHECK (name != NULL))
    return;
  uint64_t sum = 0xcbf29ce484222325u;
  name[8]++;
  n -= 26;
  for (size_t i = 0; i < n; i++)
    sum = (sum ^ (unsigned char) text[i]) * 0x100000001b3u;
  snprintf (line, sizeof line, "checksum %016llx\n", (unsigned long long) sum);
  memcpy (text + n, line, 26);
  CHECK (load (text, n + 26) == 0);
  name[8]--;
  sum = 0xcbf29ce484222325u;
  for (size_t i = 0; i < n; i++)
    sum = (sum ^ (unsigned char) text[i]) * 0x100000001b3u;
  snprintf (line, sizeof line, "checksum %016llx\n", (unsigned long long) sum);
  memcpy (text + n, line, 26);
  CHECK (load (text, n + 26) == 2);
}

int
main (void)
{
  hkm_os_start ();
  if (mkdtemp (dir) == NULL)
    return 2;
  snprintf (file, sizeof file, "%s/rules", dir);
  RUN (good_lines);
  RUN (bad_lines);
  RUN (too_much);
  RUN (written_and_read);
  RUN (whole_or_nothing);
  RUN (of_another_program);
  unlink (file);
  rmdir (dir);
  return check_done ();
}
