/* The option table: one row per HAKMEM_ variable (opts/options.def), read once
   from the file of options and the environment before the first block is handed
   out.  The same rows feed HAKMEM_HELP, hakmem_ctl and the manual pages.

   Values are plain data, constant after hkm_opts_load; any thread reads them.  */
#ifndef HKM_OPTS_OPTS_H
#define HKM_OPTS_OPTS_H

#include "base/compiler.h"

/* Type words used in options.def.  */
enum hkm_opt_type
{
  HKM_OPT_BOOL, /* 0 or 1 */
  HKM_OPT_UINT, /* a number in the row's unit; bytes take K, M, G */
  HKM_OPT_RATIO, /* a decimal with up to two places, kept in hundredths */
  HKM_OPT_MASK, /* a mask over class groups, 0x.. or decimal */
  HKM_OPT_ENUM, /* a word of the row's choices, stored as its index */
  HKM_OPT_LIST, /* eight numbers, one per class group, or one for all */
  HKM_OPT_RATIOS, /* up to four ratios */
  HKM_OPT_BLOCK, /* bytes of a dynamic class's block, or 0; no two rows alike */
  HKM_OPT_TEXT  /* a string, kept as a pointer into the environment block's copy */
};

/* One enumerator HKM_OPT_<NAME> per row: HKM_OPT_TINY_C7_ULTRA is
   HAKMEM_TINY_C7_ULTRA.  */
#define HKM_OPTION(name, type, def, min, max, unit, choices, layer, part, help) \
  HKM_OPT_##name,
enum hkm_opt_id
{
#include "opts/options.def"
  HKM_OPT_COUNT
};
#undef HKM_OPTION

/* Who gave an option its value; the later counts.  */
enum hkm_opt_source
{
  HKM_OPT_BY_TABLE,
  HKM_OPT_BY_PROFILE,
  HKM_OPT_BY_FILE,       /* its part for all programs */
  HKM_OPT_BY_SECTION,    /* a part for this one */
  HKM_OPT_BY_ENVIRONMENT
};

/* The texts are arrays, not pointers: then the table needs no relocation, which
   would cost every process that starts a page and the time to write it.  */
struct hkm_opt_row
{
  uint64_t def, min, max;
  uint8_t type;      /* enum hkm_opt_type */
  char name[31];     /* without HAKMEM_ */
  char def_text[16]; /* the default as the table spells it */
  char unit[16];
  char choices[32];  /* "off|exit" or "" */
  char layer[16];
  char part[16];     /* configure switch of the part it steers, or "" */
  char help[96];
};

const struct hkm_opt_row *hkm_opts_row (enum hkm_opt_id id);
/* Read the environment and the file (opts/conf.h); under AT_SECURE the file
   alone, if it is root's.  Messages about bad values go to stderr only if it is a
   terminal or HAKMEM_VERBOSE is set, those about the machine's file only if
   HAKMEM_VERBOSE is.  */
void hkm_opts_load (void);
/* The value of a row but of type LIST, RATIOS or TEXT.  */
uint64_t hkm_opt (enum hkm_opt_id id);
/* True if V is a number that the row takes (all of a list alike).  */
bool hkm_opts_takes (enum hkm_opt_id id, uint64_t v);
/* Number K (0..7) of a LIST row; of a RATIOS row, 0 where none was given.  */
uint32_t hkm_opt_list (enum hkm_opt_id id, unsigned k);
/* A TEXT row's string, or NULL if it isn't set.  */
const char *hkm_opt_text (enum hkm_opt_id id);
/* The row called NAME (with or without HAKMEM_), or -1.  */
int hkm_opts_find (const char *name);
/* Who set a row, and in which line of the file; 0: not the file.  */
enum hkm_opt_source hkm_opts_source (enum hkm_opt_id id, unsigned *line);
/* The file of options that was read, or NULL.  */
const char *hkm_opts_file (void);
/* True if somebody can read what we say of options and files: stderr is a
   terminal or HAKMEM_VERBOSE is set, and the program is not privileged.  */
bool hkm_opts_may_speak (void);
/* Print name, default, range, unit and help of every row to stderr.  */
void hkm_opts_help (void);

#endif
