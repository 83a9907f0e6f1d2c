/* opts/conf and opts/opts: what a file of options sets, for which program, what
   is wrong with it; and any bytes at all.  */
#include "check.h"
#include "opts/conf.h"
#include "opts/opts.h"
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/hkm-conf-XXXXXX", file[64], setting[96];
static char room[PATH_MAX];
static const char *program = "/usr/bin/prog";
static bool secure;

/* All as it is without a file; the environment has VARIABLES, none: NULL.  */
static void
fresh (const char *first, const char *second)
{
  static const char *block[4];
  block[0] = first;
  block[1] = second;
  block[2] = NULL;
  environ = (char **) block;
  hkm_opts_load ();
}

/* Options after the text, and how many lines were wrong.  */
static unsigned
take (const char *text, size_t n)
{
  hkm_conf conf = { .path = "file", .text = text, .n = n, .program = program,
                    .room = room, .secure = secure };
  fresh ("HAKMEM_CONF=none", NULL);
  return hkm_conf_take (&conf);
}
#define TAKE(text) take (text, sizeof text - 1)
#define RETAIN hkm_opt (HKM_OPT_RETAIN)

static enum hkm_opt_source
source (enum hkm_opt_id id, unsigned in_line)
{
  unsigned line;
  enum hkm_opt_source by = hkm_opts_source (id, &line);
  CHECKF (line == in_line, "line %u, not %u", line, in_line);
  return by;
}

TEST (names_and_values)
{
  CHECK (TAKE ("retain = 1M") == 0 && RETAIN == 1 << 20);
  CHECK (TAKE ("RETAIN=1M\n") == 0 && RETAIN == 1 << 20);
  CHECK (TAKE ("  HAKMEM_RETAIN\t =  1m \r\n") == 0 && RETAIN == 1 << 20);
  CHECK (TAKE ("hakmem_Retain = 1024K # less\n") == 0 && RETAIN == 1 << 20);
  CHECK (TAKE ("\xef\xbb\xbfretain = 1M\r\nlearn = yes\r\n") == 0
         && RETAIN == 1 << 20 && hkm_opt (HKM_OPT_LEARN) == 1);
  CHECK (TAKE ("") == 0 && TAKE ("\n\n") == 0 && TAKE ("# x\n#") == 0
         && TAKE (" \t# = [\n") == 0);
  CHECK (TAKE ("tiny_remote_drain_thresh = 1,2,3,4,5,6,7,8\n"
               "wmax_candidates_mid = 1.1,1.2\nbigcache_strategy = KEEP")
             == 0
         && hkm_opt_list (HKM_OPT_TINY_REMOTE_DRAIN_THRESH, 7) == 8
         && hkm_opt_list (HKM_OPT_WMAX_CANDIDATES_MID, 1) == 120
         && hkm_opt_list (HKM_OPT_WMAX_CANDIDATES_MID, 2) == 0
         && hkm_opt (HKM_OPT_BIGCACHE_STRATEGY) == 3);
  CHECK (TAKE ("stats_file = /var/log/a b#c/%p  # comment") == 0
         && strcmp (hkm_opt_text (HKM_OPT_STATS_FILE), "/var/log/a b#c/%p") == 0);
  CHECK (source (HKM_OPT_STATS_FILE, 1) == HKM_OPT_BY_FILE
         && source (HKM_OPT_RETAIN, 0) == HKM_OPT_BY_TABLE);
}

TEST (the_last_counts)
{
  CHECK (TAKE ("retain=1\nretain=2\n") == 0 && RETAIN == 2);
  CHECK (TAKE ("stats_file=/x\nstats_file=\n") == 0
         && hkm_opt_text (HKM_OPT_STATS_FILE) == NULL);
  CHECK (TAKE ("retain=1\n[prog]\nretain=2\n[other]\nretain=3\n") == 0
         && RETAIN == 2 && source (HKM_OPT_RETAIN, 3) == HKM_OPT_BY_SECTION);
  CHECK (TAKE ("[prog]\nretain=2\n[pro*]\nretain=3\n[prog]\nlearn=1") == 0
         && RETAIN == 3 && hkm_opt (HKM_OPT_LEARN) == 1);
  CHECK (TAKE ("mid_dyn1=8240\nmid_dyn2=8240") == 1
         && hkm_opt (HKM_OPT_MID_DYN2) == 0);
}

TEST (sections)
{
  static const char *const ours[] = {
    "[prog]", " [ prog ] # x", "[/usr/bin/prog]", "[pro*]", "[prog*]",
    "[*]", "[/usr/*]", "[/*]", "[prog]\r", "[/usr/bin/prog*]",
  };
  static const char *const others[] = {
    "[pro]", "[progx]", "[Prog]", "[/usr/bin]", "[/usr/bin/pro]", "[/prog]",
    "[/usr/bin/prog/]", "[x*]", "[/bin/prog]", "[progx*]", "[pr og]",
    "[/usr/bin/prog/*]",
  };
  static const char *const wrong[] = {
    "[prog", "prog]", "[]", "[ ]", "[", "]", "[*g]", "[p*g]", "[prog**]",
    "[[prog]]", "[prog] x", "[bin/prog]", "[./prog]", "[~/prog]", "[prog]]",
    "[prog/]", "[prog][prog]", "[a#b", "[a # b]",
  };
  char text[128];
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    {
      int n = snprintf (text, sizeof text, "%s\nretain = 5\n", ours[i]);
      CHECKF (take (text, (size_t) n) == 0 && RETAIN == 5, "%s", ours[i]);
    }
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    {
      int n = snprintf (text, sizeof text, "retain=4\n%s\nretain = 5\nx=",
                        others[i]);
      CHECKF (take (text, (size_t) n) == 0 && RETAIN == 4, "%s", others[i]);
    }
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    {
      int n = snprintf (text, sizeof text, "retain=4\n%s\ncap_mid=5\n[prog]\n"
                        "cap_large = 6", wrong[i]);
      unsigned faults = take (text, (size_t) n);
      /* A line that looks like no section leaves its lines to all.  */
      CHECKF (faults == 1 && RETAIN == 4
              && hkm_opt (HKM_OPT_CAP_MID)
                     == (strchr ("p]", *wrong[i]) ? 5u : 2u)
              && hkm_opt (HKM_OPT_CAP_LARGE) == 6, "%s: %u", wrong[i], faults);
    }
}

/* Where nobody knows what runs, no section is its own.  */
TEST (an_unknown_program)
{
  program = "";
  CHECK (TAKE ("retain=4\n[*]\nretain=5\n[/*]\nretain=6") == 0 && RETAIN == 4);
  program = "relative";
  CHECK (TAKE ("[relative]\nretain=5\n[/*]\nretain=6") == 0 && RETAIN == 5);
  program = "/usr/bin/prog";
}

TEST (bad_lines)
{
  static const char *const bad[] = {
    "x", "retain", "retain 5", "= 5", "=", "retain = 5 5", "retain = x",
    "retain =", "retain = -1", "retain = 99999999999999999999", "retain : 5",
    "re tain = 5", "retain# = 5", "HAKMEM_ = 5", "HAKMEM_HAKMEM_RETAIN = 5",
    "learn = 2", "conf = /x", "help = 1", "conf =", "test_x = 1",
    "retainretainretainretainretainretainretainretainretainretain = 5",
    "wmax_mid = 3", "retain = 5\v5", "ret\x01" "ain = 5", "retain = 5\x7f",
    "\xff\xfe = \xff", "export retain=5", "retain=\"5\"", "; retain = 5",
    "// x",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    {
      char text[256];
      int n = snprintf (text, sizeof text, "cap_mid=5\n%s\ncap_large = 6\n",
                        bad[i]);
      CHECKF (take (text, (size_t) n) == 1 && RETAIN == 4 << 20
                  && hkm_opt (HKM_OPT_CAP_MID) == 5
                  && hkm_opt (HKM_OPT_CAP_LARGE) == 6,
              "%s", bad[i]);
    }
  CHECK (take ("retain=4\0", 9) == 1 && RETAIN == 4 << 20);
  CHECK (take ("stats_file=/a\0b", 15) == 1
         && hkm_opt_text (HKM_OPT_STATS_FILE) == NULL);
}

/* A line is as long as a path, and not longer.  */
TEST (long_lines)
{
  static char text[3 * HKM_CONF_LINE];
  memset (text, 'x', sizeof text);
  memcpy (text, "stats_file=/", 12);
  for (size_t n = HKM_CONF_LINE - 2; n < HKM_CONF_LINE + 3; n++)
    {
      memcpy (text + n, "\nretain=5\n", 10);
      unsigned faults = take (text, n + 10);
      bool fits = n <= HKM_CONF_LINE;
      CHECKF (faults == !fits && RETAIN == 5
              && (hkm_opt_text (HKM_OPT_STATS_FILE) != NULL) == fits,
              "%zu: %u", n, faults);
      memset (text + n, 'x', 10);
    }
  memset (text, ' ', sizeof text);
  CHECK (take (text, sizeof text) == 0);
  memset (text, '#', sizeof text);
  CHECK (take (text, sizeof text) == 0);
}

static void
write_file (const void *text, size_t n)
{
  int fd = open (file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CHECK (fd >= 0 && write (fd, text, n) == (ssize_t) n && close (fd) == 0);
}

/* Each row of a profile is a value that the option takes, but not its default;
   whoever sets the option counts more, wherever the profile stands.  */
TEST (profiles)
{
  static const struct
  {
    const char *profile;
    enum hkm_opt_id id;
    uint64_t value;
  } settings[] = {
#define HKM_SETTING(profile, name, value) { #profile, HKM_OPT_##name, value },
#include "opts/profiles.def"
#undef HKM_SETTING
  };
  char text[128];
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    {
      enum hkm_opt_id id = settings[i].id;
      const struct hkm_opt_row *row = hkm_opts_row (id);
      CHECKF (hkm_opts_takes (id, settings[i].value)
                  && settings[i].value != row->def
                  && row->type != HKM_OPT_TEXT && row->type != HKM_OPT_LIST
                  && row->type != HKM_OPT_RATIOS,
              "%s", row->name);
      int n = snprintf (text, sizeof text, "profile = %s", settings[i].profile);
      CHECKF (take (text, (size_t) n) == 0 && hkm_opt (id) == row->def, "%s",
              row->name);
      snprintf (text, sizeof text, "HAKMEM_PROFILE=%s", settings[i].profile);
      fresh ("HAKMEM_CONF=none", text);
      CHECKF (hkm_opt (id) == settings[i].value
                  && source (id, 0) == HKM_OPT_BY_PROFILE,
              "%s", row->name);
      n = snprintf (text, sizeof text, "%s = %llu\n[*]\nprofile = %s\n",
                    row->name, (unsigned long long) row->def,
                    settings[i].profile);
      write_file (text, (size_t) n);
      fresh (setting, NULL);
      CHECKF (hkm_opt (id) == row->def && source (id, 1) == HKM_OPT_BY_FILE
                  && hkm_opt (HKM_OPT_PROFILE) != 0,
              "%s", row->name);
    }
  fresh ("HAKMEM_CONF=none", "HAKMEM_PROFILE=balanced");
  for (int id = 0; id < HKM_OPT_COUNT; id++)
    if (id != HKM_OPT_CONF && id != HKM_OPT_PROFILE)
      CHECKF (source ((enum hkm_opt_id) id, 0) == HKM_OPT_BY_TABLE, "%s",
              hkm_opts_row ((enum hkm_opt_id) id)->name);
}

TEST (what_a_privileged_program_takes)
{
  static const char text[]
    = "disable = 1\nretain = 5\nverbose = 1\nstats = exit\n"
      "stats_file = /x\npolicy_file = /x\npolicy_save = /x\nsite_rules = /x\n"
      "site_learn = 1\nfail_fast = ignore\nlimit = 1G\n";
  secure = true;
  CHECK (TAKE (text) == 0);
  CHECK (RETAIN == 5 && hkm_opt (HKM_OPT_DISABLE) == 1
         && hkm_opt (HKM_OPT_LIMIT) == 1 << 30);
  CHECK (hkm_opt (HKM_OPT_VERBOSE) == 0 && hkm_opt (HKM_OPT_STATS) == 0
         && hkm_opt (HKM_OPT_SITE_LEARN) == 0
         && hkm_opt (HKM_OPT_FAIL_FAST) == 0);
  for (int id = 0; id < HKM_OPT_COUNT; id++)
    if (hkm_opts_row ((enum hkm_opt_id) id)->type == HKM_OPT_TEXT
        && id != HKM_OPT_CONF)
      CHECKF (hkm_opt_text ((enum hkm_opt_id) id) == NULL, "%s",
              hkm_opts_row ((enum hkm_opt_id) id)->name);
  secure = false;
  CHECK (TAKE (text) == 0 && hkm_opt (HKM_OPT_FAIL_FAST) == 2
         && hkm_opt_text (HKM_OPT_POLICY_SAVE) != NULL);
}

/* ---- the file itself ---- */

TEST (found_and_overruled)
{
  static const char text[] = "retain = 5\n[*]\ncap_mid = 7\ndisable = 1\n";
  write_file (text, sizeof text - 1);
  errno = 55;
  fresh (setting, "HAKMEM_DISABLE=0");
  CHECK (errno == 55);
  CHECK (RETAIN == 5 && hkm_opt (HKM_OPT_CAP_MID) == 7
         && hkm_opt (HKM_OPT_DISABLE) == 0);
  CHECK (source (HKM_OPT_RETAIN, 1) == HKM_OPT_BY_FILE
         && source (HKM_OPT_CAP_MID, 3) == HKM_OPT_BY_SECTION
         && source (HKM_OPT_DISABLE, 0) == HKM_OPT_BY_ENVIRONMENT);
  CHECK (hkm_opts_file () != NULL && strcmp (hkm_opts_file (), file) == 0);
  /* A variable that is wrong is as good as none.  */
  fresh (setting, "HAKMEM_DISABLE=maybe");
  CHECK (hkm_opt (HKM_OPT_DISABLE) == 1);
  fresh (setting, "HAKMEM_MID_DYN1=8240");
  CHECK (RETAIN == 5 && hkm_opt (HKM_OPT_MID_DYN1) == 8240);
  fresh ("HAKMEM_CONF=none", NULL);
  CHECK (RETAIN == 4 << 20 && hkm_opts_file () == NULL);
  fresh ("HAKMEM_CONF=", NULL);
  CHECK (RETAIN == 4 << 20 && hkm_opts_file () == NULL);
}

/* Whatever stands there instead of a file: nothing is read, nobody waits, no
   descriptor and no memory is lost.  */
TEST (no_file)
{
  static char big[HKM_CONF_MAX + 1];
  struct rlimit limit, none;
  int before = dup (0);
  size_t mapped = hkm_os_mapped ();
  close (before);
  unlink (file);
  for (int i = 0; i < 7; i++)
    {
      if (i == 1)
        CHECK (mkdir (file, 0700) == 0);
      else if (i == 2)
        CHECK (rmdir (file) == 0 && mkfifo (file, 0600) == 0);
      else if (i == 3)
        CHECK (unlink (file) == 0 && symlink ("/dev/zero", file) == 0);
      else if (i == 4)
        CHECK (unlink (file) == 0 && symlink (file, file) == 0);
      else if (i == 5 || i == 6)
        {
          unlink (file);
          memset (big, '\n', sizeof big);
          memcpy (big, "retain = 5\n", 11);
          write_file (big, sizeof big - (i == 6));
        }
      errno = 55;
      fresh (setting, NULL);
      CHECKF (errno == 55 && RETAIN == 4 << 20 && hkm_opts_file () == NULL,
              "%d", i);
    }
  write_file (big, sizeof big - 2);
  fresh (setting, NULL);
  CHECK (RETAIN == 5);
  if (CHECK (getrlimit (RLIMIT_NOFILE, &limit) == 0))
    {
      none = limit;
      none.rlim_cur = 0;
      CHECK (setrlimit (RLIMIT_NOFILE, &none) == 0);
      fresh (setting, NULL);
      CHECK (RETAIN == 4 << 20);
      CHECK (setrlimit (RLIMIT_NOFILE, &limit) == 0);
    }
  int after = dup (0);
  close (after);
  CHECK (before == after);
  CHECK (mapped == hkm_os_mapped ());
}

/* A link leads to the file.  */
TEST (a_link)
{
  char other[80];
  snprintf (other, sizeof other, "%s.real", file);
  write_file ("retain = 5\n", 11);
  CHECK (rename (file, other) == 0 && symlink (other, file) == 0);
  fresh (setting, NULL);
  CHECK (RETAIN == 5);
  unlink (file);
  unlink (other);
}

static uint64_t state = 88172645463325252u;
static unsigned
below (size_t n)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned) (state % n);
}

/* A good file with some bytes changed, taken out, put in, doubled: no fault, and
   whatever is set is a value of its row.  */
TEST (mutated)
{
  static const char seed[]
    = "# for all\nlearn = 1\nHAKMEM_RETAIN=8M\nbigcache_strategy = best\n"
      "tiny_remote_drain_thresh = 1,2,3,4,5,6,7,8\nwmax_candidates_mid=1.1,2\n"
      "mid_dyn1 = 8240\nstats_file = /var/log/%n.%p\ntiny_ultra_classes=0xc0\n"
      "[prog]\nretain = 1M\r\nwmax_mid = 1.55\n[/usr/bin/p*]\ndisable = 1\n"
      "[other]\nretain=0x1000\nfail_fast = report # why\n";
  static char text[4 * sizeof seed];
  for (int round = 0; round < 2000; round++)
    {
      size_t n = sizeof seed - 1;
      memcpy (text, seed, n);
      for (unsigned i = below (6) + 1; i > 0; i--)
        {
          size_t at = below (n), length = below (40);
          switch (below (4))
            {
            case 0:
              text[at] = (char) below (256);
              break;
            case 1: /* cut out */
              length = length < n - at ? length : n - at - 1;
              memmove (text + at, text + at + length, n - at - length);
              n -= length;
              break;
            case 2: /* double */
              length = length < n - at ? length : n - at;
              memmove (text + at + length, text + at, n - at);
              n += length;
              break;
            default:
              text[at] = "\n=[]*#/ \t\r\0_,.0"[below (16)];
              break;
            }
        }
      if (round % 10 == 9) /* nothing of it left */
        for (size_t i = 0; i < n; i++)
          text[i] = (char) below (256);
      /* Just as long as it is, so that a byte behind is noticed.  */
      char *just = malloc (n);
      memcpy (just, text, n);
      take (just, n);
      free (just);
      for (int id = 0; id < HKM_OPT_COUNT; id++)
        switch (hkm_opts_row ((enum hkm_opt_id) id)->type)
          {
          case HKM_OPT_TEXT:
          case HKM_OPT_LIST:
          case HKM_OPT_RATIOS:
            break;
          default:
            CHECKF (hkm_opts_takes ((enum hkm_opt_id) id,
                                    hkm_opt ((enum hkm_opt_id) id)),
                    "round %d: %s", round,
                    hkm_opts_row ((enum hkm_opt_id) id)->name);
          }
    }
}

int
main (void)
{
  hkm_os_start ();
  if (mkdtemp (dir) == NULL)
    return 2;
  snprintf (file, sizeof file, "%s/conf", dir);
  snprintf (setting, sizeof setting, "HAKMEM_CONF=%s", file);
  RUN (names_and_values);
  RUN (the_last_counts);
  RUN (sections);
  RUN (an_unknown_program);
  RUN (bad_lines);
  RUN (long_lines);
  RUN (profiles);
  RUN (what_a_privileged_program_takes);
  RUN (found_and_overruled);
  RUN (no_file);
  RUN (a_link);
  RUN (mutated);
  unlink (file);
  rmdir (dir);
  return check_done ();
}
