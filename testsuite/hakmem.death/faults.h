/* The faults of death.c that need a block of the heap: each gets one of the
   current kind and misuses it.  Included once, by death.c.  */
static void
double_free (void)
{
  void *p = hidden (get ());
  free (p);
  free (bad (p));
}

static void
double_free_others_between (void)
{
  char *a = get (), *b = get (), *c = get ();
  free (a);
  free (b);
  free (c);
  free (bad (a));
}

/* All of a kind is free and trimmed: the memory may not be there at all.  */
static void
double_free_after_trim (void)
{
  enum { N = 40 };
  void *p[N];
  for (int i = 0; i < N; i++)
    p[i] = hidden (get ());
  for (int i = 0; i < N; i++)
    free (p[i]);
  malloc_trim (0);
  free (bad (p[N / 2]));
}

static void *
free_it (void *p)
{
  free (p);
  return NULL;
}

static void
double_free_by_thread (void)
{
  void *p = hidden (get ());
  free (p);
  in_thread (0, free_it, bad (p));
}

static void
double_free_after_thread (void)
{
  void *p = hidden (get ());
  in_thread (0, free_it, p);
  free (bad (p));
}

static void *
free_twice (void *p)
{
  free (hidden (p));
  free (bad (p));
  return NULL;
}

static void
double_free_in_thread (void)
{
  in_thread (0, free_twice, get ());
}

static void *
get_in_thread (void *where)
{
  *(void **) where = get ();
  return NULL;
}

/* The block's thread is gone.  */
static void
double_free_of_orphan (void)
{
  void *p;
  in_thread (0, get_in_thread, &p);
  end_thread (0);
  free (hidden (p));
  free (bad (p));
}

static void
double_free_two_threads (void)
{
  void *p = hidden (get ());
  in_thread (1, free_it, p);
  in_thread (0, free_it, bad (p));
}

static void
interior_16 (void)
{
  char *p = get ();
  free (bad (p + 16));
}

static void
interior_half (void)
{
  char *p = get ();
  free (bad (p + what->size / 2 / 16 * 16));
}

static void
interior_granule (void)
{
  char *p = get ();
  free (bad (p + 65536));
}

static void
misaligned (void)
{
  char *p = get ();
  free (bad (p + 1));
}

static void
misaligned_8 (void)
{
  char *p = get ();
  free (bad (p + 8));
}

static void
interior_by_thread (void)
{
  char *p = get ();
  in_thread (0, free_it, bad (p + 16));
}

static void
never_carved (void)
{
  char *p = get ();
  free (bad (p + 40 * 1024 / ((what->size + 15) / 16 * 16)
                     * ((what->size + 15) / 16 * 16)));
}

static void
realloc_freed (void)
{
  void *p = hidden (get ());
  free (p);
  if (realloc (bad (p), what->size + 1))
    puts ("not ok realloc: it gave a block");
}

static void
realloc_freed_to_zero (void)
{
  void *p = hidden (get ());
  free (p);
  if (realloc (bad (p), 0))
    puts ("not ok realloc: it gave a block");
}

static void
realloc_interior (void)
{
  char *p = get ();
  if (realloc (bad (p + 16), what->size * 2 + 100))
    puts ("not ok realloc: it gave a block");
}

static void
realloc_misaligned (void)
{
  char *p = get ();
  if (realloc (bad (p + 3), 10))
    puts ("not ok realloc: it gave a block");
}

static void
sized_double (void)
{
  void *p = hidden (get ());
  free (p);
  sized (bad (p), what->size);
}

static void
sized_interior (void)
{
  char *p = get ();
  sized (bad (p + 16), what->size);
}

static void
sized_too_much (void)
{
  sized (bad (get ()), what->size * 3 + 100000);
}

static void
aligned_sized_double (void)
{
  void *p = hidden (get ());
  free (p);
  aligned_sized (bad (p), what->align, what->size);
}

static void
aligned_sized_too_much (void)
{
  aligned_sized (bad (get ()), what->align, what->size * 3 + 9000000);
}
