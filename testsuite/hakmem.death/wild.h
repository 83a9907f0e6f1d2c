/* The faults of death.c with pointers that never were a block.  Included once,
   by death.c, after faults.h.  */
static int some_data = 1, some_bss;

static void
stack (void)
{
  char local[64];
  memset (local, 0, sizeof local);
  free (bad (local + ((uintptr_t) -(uintptr_t) local & 15)));
}

static void *
stack_run (void *unused)
{
  stack ();
  return unused;
}

static void
stack_of_thread (void)
{
  in_thread (0, stack_run, NULL);
}

static void data (void) { free (bad (&some_data)); }
static void bss (void) { free (bad (&some_bss)); }
static void literal (void) { free (bad ("a string")); }
static void code (void) { free (bad ((void *) &exit)); }

static void
foreign_mapping (void)
{
  char *p = mmap (NULL, 1 << 20, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED)
    exit (3);
  free (bad (p + 16));
}

static void
unmapped (void)
{
  char *p = mmap (NULL, 16 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0);
  if (p == MAP_FAILED || munmap (p, 16 << 20))
    exit (3);
  free (bad (p + (8 << 20)));
}

static void
realloc_stack (void)
{
  _Alignas (16) char local[64];
  memset (local, 0, sizeof local);
  if (realloc (bad (local), 100))
    puts ("not ok realloc: it gave a block");
}

static void
realloc_unmapped (void)
{
  if (realloc (bad ((void *) (uintptr_t) 0x123450), 100))
    puts ("not ok realloc: it gave a block");
}

static void
sized_stack (void)
{
  _Alignas (16) char local[64];
  memset (local, 0, sizeof local);
  sized (bad (local), 64);
}

#define AT(name, value)                                                       \
  static void name (void) { free (bad ((void *) (uintptr_t) (value))); }
AT (low_1, 1)
AT (low_16, 16)
AT (low_page, 0x1000)
AT (low_64k, 0x10000)
AT (low_4g, 0x100000000)
AT (high_user, 0x7fffffffe000)
AT (high_47, (uint64_t) 1 << 47)
AT (high_48_less_16, ((uint64_t) 1 << 48) - 16)
AT (high_48, (uint64_t) 1 << 48)
AT (high_63, (uint64_t) 1 << 63)
AT (high_kernel, 0xffff800000000000)
AT (high_last_16, ~(uint64_t) 15)
AT (high_last, ~(uint64_t) 0)
