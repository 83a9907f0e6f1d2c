/* libhakmem's own interface, beside the malloc family that it replaces.

   A program that uses these functions links with -lhakmem.  One that only
   wants to use them where the library happens to be preloaded declares them
   weak and asks whether their address is null.

   All functions are thread-safe and may be called at any time, but not from a
   signal handler.  None of them needs the library to serve this process's
   malloc; where it does not (HAKMEM_DISABLE=1, or another malloc came first),
   they tell of the little it does.

   Errors are returned as errno values; errno itself is never changed.  */
#ifndef HAKMEM_HAKMEM_H
#define HAKMEM_HAKMEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version, "MAJOR.MINOR.PATCH"; a constant string.  */
const char *hakmem_version (void);

/* Read or do what NAME says:

     "version"        const char *        as hakmem_version ()
     "opt.OPTION"     the value read from the variable HAKMEM_OPTION, in its
                      unit: uint64_t, for one that is a list of eight numbers
                      uint32_t[8], for one that is text const char * (a null
                      pointer if it isn't set; valid for the process's life).
                      A choice is the number of the word, from 0.
     "policy.OPTION"  uint64_t            what is in force of those numbers of
                                          the policy (below) that a variable
                                          HAKMEM_OPTION sets at first
     "stats.COUNTER"  uint64_t            as hakmem_stats_get (COUNTER)
     "purge"          size_t              does hakmem_purge () and reads what
                                          it returned
     "sites.save"     writes the site rules in force and those learned to the
                      file whose path NEW is, of NEW_LENGTH bytes with its zero;
                      OLD and OLD_LENGTH must be null

   OLD, if not null, receives the value; *OLD_LENGTH, which must not be null
   then, is the size of OLD in bytes and must be that of the type above.  With
   OLD null and OLD_LENGTH not null, *OLD_LENGTH is set to that size and nothing
   is read; "purge" is done in any case.

   NEW, if not null, is the new value of a "policy." name, NEW_LENGTH its size;
   OLD then receives the value before.  For any other name but "sites.save" NEW
   must be null and NEW_LENGTH 0.  A number of the policy acts from each
   thread's next refill on.  "policy.MID_DYN1" and "policy.MID_DYN2", the block
   sizes of two further classes or 0, wait until no memory of the former size is
   in use; meanwhile requests go to the other classes.

   Returns 0, or
     ENOENT   there is nothing called NAME (with a part of the library left
              out when it was built, its counters and options may be missing)
     EINVAL   NAME is null, OLD is given without OLD_LENGTH, or *OLD_LENGTH is
              not the size of the value, or NEW and NEW_LENGTH are not a
              value's; nothing was stored or done
     ERANGE   the policy can't have that value; nothing changed
     EPERM    NEW or NEW_LENGTH was given, but NAME can't be written; or the
              rules can't be, in a set-user-ID program
   and of "sites.save" ENOTSUP if neither rules nor learning were asked for,
   ENOMEM, or the error of writing the file.  */
int hakmem_ctl (const char *name, void *old, size_t *old_length,
                const void *new_value, size_t new_length);

/* Store the present value of the counter or state NAME in *VALUE.  Counters
   count since the process began and never fall; they are listed, with their
   units, by hakmem_stats_print.  Upper and lower case are the same.  States
   are, in bytes unless their name says otherwise:

     mapped_bytes       superslabs and big mappings, used or not
     live_bytes         blocks the program holds, as long as their class
     idle_bytes         resident, free, kept for reuse
     retain_bytes       how much idle_bytes may be at the moment
     meta_bytes         the allocator's own descriptors
     heaps              thread heaps, heaps_parked of them without a thread
     superslabs         2 MiB regions, superslabs_lru of them wholly empty,
                        superslabs_sparse used in less than a quarter
     run_count, run_bytes   blocks above 32 KiB, up to 1 MiB
     big_count, big_bytes   blocks with a mapping of their own
     big_cached_bytes       freed ones that are kept
     mmap_calls, munmap_calls, mremap_calls, madvise_calls

   A state sums up what other threads change meanwhile: it is not a snapshot
   of one moment.

   Returns 0; EINVAL if an argument is null; ENOENT if there is no such name;
   ENOTSUP for a counter of a library built with --disable-stats.  */
int hakmem_stats_get (const char *name, uint64_t *value);

/* Write a report on the whole allocator to the file descriptor FD.  FORMAT is
   "text" (the same as a null pointer), "json", "summary" (a few lines) or
   "xml" (as malloc_info).  The report is written at once, without stdio.

   Returns 0; EINVAL for another format; ENOMEM; or the error of write.  */
int hakmem_stats_print (int fd, const char *format);

/* Give back to the OS every page that holds no block and can be reached: the
   calling thread's heap, those of ended threads, and everything that no heap
   holds.  Other threads' heaps keep what they have.  Blocks are not touched.
   May take milliseconds.

   Returns the bytes given back, as far as they can be told; 0 if none.  */
size_t hakmem_purge (void);

/* The policy is what the allocator acts by: for each size class how many blocks
   move at once and how many are kept, and the like; at first what the options
   say.  hakmem_policy_save writes the one in force to the file PATH, as text,
   and hakmem_policy_load puts one in force that was saved before, by this
   process or another.  A policy acts from each thread's next refill on, never
   on blocks handed out.  "opt.OPTION" of hakmem_ctl stays what was asked for
   at start.

   The file is written beside PATH first and then renamed: readers find the old
   file or the new one.  It has a checksum; one that is damaged, cut short, out
   of range, of a newer library, or made for other size classes or other routes
   (HAKMEM_TINY_HOTHEAP_CLASSES, HAKMEM_TINY_ULTRA_CLASSES) than the process
   started with is refused as a whole, and nothing changes.  If stderr is a
   terminal or HAKMEM_VERBOSE=1, one line then names the file, the line and the
   reason.

   Both return 0; EINVAL if PATH is null; ENOMEM; or the error of opening,
   reading, writing or renaming the file.  Further
     save:  EPERM    the program runs with changed privileges (AT_SECURE)
     load:  EBADMSG  PATH is no policy file, or not as it was written
            ENOTSUP  it is of a newer library, or for other classes or routes
            ERANGE   a value in it is out of range.  */
int hakmem_policy_save (const char *path);
int hakmem_policy_load (const char *path);

#ifdef __cplusplus
}
#endif

#endif
