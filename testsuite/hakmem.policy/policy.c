/* The policy as a file: what is written, what is read, what is refused.

   policy [DIRECTORY]        all tests; files go to a new directory in it
   policy make PATH          a file of another policy than the default
   policy same PATH          "same" or "other": is that the one in force?  */
#include "policy.h"
#include <malloc.h>

TEST (round_trip)
{
  static text other, again;
  CHECK (first.n > 500 && first.n < TEXT_MAX - 100);
  back_to_first ();
  other = first;
  set_number (&other, "TINY_WARM_CAP = ", 7);
  set_number (&other, "TINY_BUMP_CHUNK = ", 8192);
  set_number (&other, " remote ", 33);
  set_number (&other, " batch ", 9);
  CHECK (!same (&other, &first));
  CHECK (load (&other) == 0);
  in_force (&again);
  CHECK (same (&other, &again));
  back_to_first ();
}

/* What is kept of single classes is in the file where it is not what the numbers
   for all say, and only there.  */
TEST (what_single_classes_keep)
{
  static text other, again;
  other = first;
  edit (&other, "checksum ", "keep class 5 slabs 3\nkeep class 9 slabs 0\n"
                             "keep runs 1 blocks 7\nchecksum ");
  CHECK (load (&other) == 0);
  in_force (&again);
  CHECK (same (&other, &again));
  edit (&other, "keep class 5 slabs 3\n", "keep class 5 slabs 1\n");
  CHECK (load (&other) == 0);
  in_force (&again);
  CHECK (strstr (again.s, "keep class 5 ") == NULL);
  CHECK (strstr (again.s, "keep class 9 slabs 0\n") != NULL);
  back_to_first ();
  in_force (&again);
  CHECK (strstr (again.s, "keep ") == NULL);
}

/* What was earned for idle memory is in the file, and half of it in the budget by it.  A
   file with less takes nothing away, and what is earned no more is not saved.  */
TEST (what_was_earned)
{
  enum { BLOCKS = 200, SIZE = 400000, STAYS = 4, KEPT = 30 << 20 };
  static text other, again;
  static char *block[BLOCKS];
  uint64_t least = counter ("retain_bytes");
  other = first;
  edit (&other, "checksum ", "earned 100 MiB\nchecksum ");
  CHECK (load (&other) == 0);
  saved (&again);
  edit (&other, "earned 100 MiB\n", "earned 50 MiB\n");
  CHECK (same (&other, &again));
  CHECK (counter ("retain_bytes") >= least + (50 << 20));
  for (int i = 0; i < BLOCKS; i++)
    block[i] = memset (malloc (SIZE), 1, SIZE);
  /* One in four stays, so that no superslab is empty, as some builds keep none.  */
  for (int i = 0; i < BLOCKS; i++)
    if (i % STAYS != 0)
      free (block[i]);
  CHECKF (counter ("idle_bytes") >= KEPT, "%llu bytes kept",
          (unsigned long long) counter ("idle_bytes"));
  edit (&other, "earned 50 MiB\n", "earned 14 MiB\n");
  CHECK (load (&other) == 0);
  saved (&again);
  CHECK (strstr (again.s, "earned 50 MiB\n") != NULL);
  edit (&other, "earned 14 MiB\n", "earned 180 MiB\nkeep nothing\n");
  CHECK (load (&other) == EBADMSG); /* and nothing is earned by it */
  CHECK (counter ("retain_bytes") < least + (90 << 20));
  for (int i = 0; i < BLOCKS; i += STAYS)
    free (block[i]);
  malloc_trim (0);
  mallopt (M_TRIM_THRESHOLD, 8 << 20);
  saved (&again);
  CHECK (same (&again, &first));
}

/* The file is of another policy than the one in force: if one were taken, it
   would show.  */
static const char *
damaged_file (text *t)
{
  static char path[300];
  snprintf (path, sizeof path, "%s/damaged", dir);
  *t = first;
  set_number (t, "TINY_WARM_CAP = ", 7);
  put (path, t);
  return path;
}

TEST (every_flipped_byte_is_refused)
{
  static text t;
  const char *path = damaged_file (&t);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  for (size_t i = 0; i < t.n; i++)
    for (int k = 0; k < 2; k++)
      {
        char c = (char) (t.s[i] ^ (k ? 0xff : 1 << i % 8));
        if (pwrite (fd, &c, 1, (off_t) i) != 1)
          abort ();
        int error = policy_load (path);
        CHECKF (error == EBADMSG || error == ENOTSUP || error == ERANGE,
                "byte %zu as 0x%02x: %d", i, c & 0xff, error);
        if (pwrite (fd, &t.s[i], 1, (off_t) i) != 1)
          abort ();
        if (i % 200 == 0)
          CHECKF (is_in_force (&first), "changed at byte %zu", i);
      }
  close (fd);
  CHECK (is_in_force (&first));
  CHECK (policy_load (path) == 0); /* whole again */
  CHECK (is_in_force (&t));
  back_to_first ();
}

TEST (every_truncation_is_refused)
{
  static text t;
  const char *path = damaged_file (&t);
  for (size_t n = t.n; n-- > 0;)
    {
      if (truncate (path, (off_t) n) != 0)
        abort ();
      CHECKF (policy_load (path) == EBADMSG, "%zu bytes", n);
    }
  CHECK (is_in_force (&first));
  t.s[t.n++] = '\n';
  CHECK (load (&t) == EBADMSG);
  CHECK (is_in_force (&first));
}

/* Well signed, and yet wrong.  */
TEST (what_is_refused_and_why)
{
  static const struct { const char *from, *to; int error; } row[] = {
    { "hakmem-policy 5\n", "hakmem-policy 6\n", ENOTSUP },
    { "hakmem-policy 5\n", "hakmem-policy 0\n", EBADMSG },
    { "hakmem-policy 5\n", "hakmem-policy 5 \n", EBADMSG },
    { "hakmem-policy 5\n", "hakmem_policy 5\n", EBADMSG },
    { "library ", "library 9", ENOTSUP },
    { "library ", "library x", EBADMSG },
    { "class-steps ", "class-steps 1", ENOTSUP },
    { " classes ", " classes 1", ENOTSUP },
    { "class 0 size 16 ", "class 0 size 32 ", ENOTSUP },
    { "class 0 size 16 ", "class 1 size 16 ", EBADMSG },
    { "superslabs shared", "superslabs own", ENOTSUP },
    { "superslabs shared", "superslabs none", EBADMSG },
    { " route ", " route x", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 99", ERANGE },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = -", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 0x", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 9999999999", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 4294967296", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP =  ", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAT = ", EBADMSG },
    { "TINY_WARM_CAP = ", "tiny_warm_cap = ", EBADMSG },
    { "TINY_WARM_CAP = ", "\nTINY_WARM_CAP = ", EBADMSG },
    { "TINY_WARM_CAP = ", "TINY_WARM_CAP = 1\nTINY_WARM_CAP = ", EBADMSG },
    { "checksum ", "CAP_LARGE = 8\nchecksum ", EBADMSG },
    { "checksum ", "\nchecksum ", EBADMSG },
    { "checksum ", "keep class 5 slabs 65\nchecksum ", ERANGE },
    { "checksum ", "keep class 99 slabs 1\nchecksum ", ERANGE },
    { "checksum ", "keep runs 5 blocks 1\nchecksum ", ERANGE },
    { "checksum ", "keep runs 0 blocks 1025\nchecksum ", ERANGE },
    { "checksum ", "keep runs 0 slabs 1\nchecksum ", EBADMSG },
    { "checksum ", "keep class 5 slabs 2 \nchecksum ", EBADMSG },
    { "checksum ", "keep\nchecksum ", EBADMSG },
    { "checksum ", "earned 0 MiB\nchecksum ", ERANGE },
    { "checksum ", "earned 10\nchecksum ", EBADMSG },
    { "checksum ", "earned 10 GiB\nchecksum ", EBADMSG },
    { "checksum ", "earned -1 MiB\nchecksum ", EBADMSG },
    { "checksum ", "earned 9999999999 MiB\nchecksum ", EBADMSG },
    { "checksum ", "earned 9 MiB\nearned 9 MiB\nchecksum ", EBADMSG },
    { "checksum ", "earned 9 MiB\nkeep runs 1 blocks 7\nchecksum ", EBADMSG },
  };
  static const struct { const char *name; unsigned value; } number[] = {
    { "TINY_DRAIN_INTERVAL = ", 255 },  { "TINY_DRAIN_INTERVAL = ", 65537 },
    { "TINY_BUMP_CHUNK = ", 255 },      { "TINY_BUMP_CHUNK = ", 65537 },
    { "TINY_RETURN_FRACTION = ", 0 },   { "TINY_RETURN_FRACTION = ", 65 },
    { "TINY_WARM_CAP = ", 65 },         { "CAP_LARGE = ", 1025 },
    { "TINY_SLAB_REUSE_GUARD = ", 2 },  { "SS_AFFINITY = ", 2 },
    { "SS_LRU = ", 65537 },             { " cap ", 1 },
    { " cap ", 4097 },                  { " batch ", 0 },
    { " batch ", 129 },                 { " remote ", 0 },
    { " remote ", 1025 },               { "WMAX_MID = ", 99 },
    { "WMAX_MID = ", 201 },             { "MID_DYN1 = ", 8192 },
    { "MID_DYN1 = ", 2048 },            { "MID_DYN1 = ", 8241 },
    { "MID_DYN2 = ", 32768 },           { "MID_DYN2 = ", 100 },
  };
  static text t;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
    {
      t = first;
      edit (&t, row[i].from, row[i].to);
      int error = load (&t);
      CHECKF (error == row[i].error, "\"%s\" for \"%s\": %d", row[i].to,
              row[i].from, error);
      CHECKF (is_in_force (&first), "\"%s\" changed it", row[i].to);
    }
  for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
    {
      t = first;
      set_number (&t, number[i].name, number[i].value);
      int error = load (&t);
      CHECKF (error == ERANGE, "%s%u: %d", number[i].name, number[i].value,
              error);
      CHECKF (is_in_force (&first), "%s changed it", number[i].name);
    }
}

/* A class that is page-local here and on the magazine in the file, or the other
   way round.  */
TEST (another_route_is_refused)
{
  static text t = { .n = 0 };
  t = first;
  if (strstr (t.s, "route page-local"))
    edit (&t, "route page-local", "route magazine");
  else
    edit (&t, "route magazine", "route page-local");
  CHECK (load (&t) == ENOTSUP);
  CHECK (is_in_force (&first));
}

/* A dynamic class's size stands twice, and must be the same; no two classes
   have one size.  */
TEST (dynamic_classes)
{
  static text t, now;
  if (!strstr (first.s, " size 0 "))
    SKIP ("built without dynamic classes");
  t = first;
  set_number (&t, "MID_DYN1 = ", 8240);
  CHECK (load (&t) == ENOTSUP);
  CHECK (is_in_force (&first));
  edit (&t, " size 0 ", " size 8240 ");
  CHECK (load (&t) == 0);
  in_force (&now);
  CHECK (same (&t, &now));
  void *p = malloc (8230);
  CHECKF (malloc_usable_size (p) == 8240, "%zu bytes", malloc_usable_size (p));
  free (p);
  set_number (&t, "MID_DYN2 = ", 8240);
  edit (&t, " size 0 ", " size 8240 ");
  CHECK (load (&t) == ERANGE);
  CHECK (is_in_force (&now));
  back_to_first ();
  p = malloc (8230);
  CHECK (malloc_usable_size (p) != 8240);
  free (p);
}

TEST (an_older_library_is_fine)
{
  static text t;
  t = first;
  char *at = strstr (t.s, "library "), *end = strchr (at, '\n');
  char from[64] = "";
  memcpy (from, at, (size_t) (end - at));
  edit (&t, from, "library 0.0.9");
  CHECK (load (&t) == 0);
  CHECK (is_in_force (&first)); /* saved by this one */
}

static unsigned
entries (void)
{
  DIR *d = opendir (dir);
  unsigned n = 0;
  while (readdir (d))
    n++;
  closedir (d);
  return n;
}

TEST (paths)
{
  struct stat st;
  errno = 55;
  CHECK (policy_save (NULL) == EINVAL && policy_load (NULL) == EINVAL);
  CHECK (policy_load (in_dir ("absent")) == ENOENT);
  CHECK (policy_load ("") == ENOENT);
  CHECK (policy_load (dir) == EISDIR);
  CHECK (policy_load ("/dev/null") == EBADMSG);
  CHECK (policy_load ("/dev/zero") == EBADMSG); /* and comes to an end */
  CHECK (mkfifo (in_dir ("fifo"), 0600) == 0);
  CHECK (policy_load (in_dir ("fifo")) == EBADMSG); /* without waiting */
  CHECK (policy_save (in_dir ("absent/file")) == ENOENT);
  static char longest[5000];
  memset (longest, 'x', sizeof longest - 1);
  CHECK (policy_save (longest) == ENAMETOOLONG);
  CHECK (policy_load (longest) == ENAMETOOLONG);

  /* A save that fails at its last step leaves nothing behind.  */
  CHECK (mkdir (in_dir ("is_a_directory"), 0700) == 0);
  unsigned before = entries ();
  CHECK (policy_save (in_dir ("is_a_directory")) == EISDIR);
  CHECK (entries () == before);
  /* What is no file stays what it is.  */
  CHECK (mkfifo (in_dir ("pipe"), 0600) == 0);
  CHECK (symlink ("pipe", in_dir ("to_pipe")) == 0);
  before = entries ();
  CHECK (policy_save (in_dir ("pipe")) == EEXIST);
  CHECK (policy_save (in_dir ("to_pipe")) == EEXIST);
  CHECK (lstat (in_dir ("pipe"), &st) == 0 && S_ISFIFO (st.st_mode));
  CHECK (lstat (in_dir ("to_pipe"), &st) == 0 && S_ISLNK (st.st_mode));
  CHECK (entries () == before);
  CHECK (errno == 55);

  mode_t mask = umask (027);
  CHECK (policy_save (in_dir ("masked")) == 0);
  umask (mask);
  CHECK (stat (in_dir ("masked"), &st) == 0 && (st.st_mode & 07777) == 0640);
  CHECK (symlink ("masked", in_dir ("link")) == 0);
  CHECK (policy_save (in_dir ("link")) == 0);
  CHECK (lstat (in_dir ("link"), &st) == 0 && S_ISREG (st.st_mode));
  CHECK (is_in_force (&first));
}

/* ---- for the tests of HAKMEM_POLICY_FILE ---- */

static void
other_policy (text *t)
{
  set_number (t, "TINY_WARM_CAP = ", 5);
  set_number (t, "TINY_RETURN_FRACTION = ", 3);
  set_number (t, " remote ", 17);
}

static void
make_file (const char *path)
{
  static text t;
  t = first;
  other_policy (&t);
  put (path, &t);
}

static void
tell_same (const char *path)
{
  static text wanted;
  get (path, &wanted);
  puts (same (&first, &wanted) ? "same" : "other");
}

int
main (int argc, char **argv)
{
  if (!policy_begin (argc == 2 ? argv[1] : NULL))
    return check_done ();
  if (argc == 3)
    {
      (strcmp (argv[1], "make") == 0 ? make_file : tell_same) (argv[2]);
      remove_dir ();
      return fflush (stdout) != 0;
    }
  RUN (round_trip);
  RUN (what_single_classes_keep);
  RUN (what_was_earned);
  RUN (every_flipped_byte_is_refused);
  RUN (every_truncation_is_refused);
  RUN (what_is_refused_and_why);
  RUN (another_route_is_refused);
  RUN (dynamic_classes);
  RUN (an_older_library_is_fine);
  RUN (paths);
  remove_dir ();
  return check_done ();
}
