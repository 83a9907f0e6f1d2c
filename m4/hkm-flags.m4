# Compiler and linker flags, each asked for by itself: a flag that the tools
# don't know is left out and listed, instead of failing the build later.

# HKM_CC_FLAG(FLAG, VAR): append FLAG to VAR if the compiler takes it without
# a word.
AC_DEFUN([HKM_CC_FLAG],
[AS_VAR_PUSHDEF([hkm_cache], [hkm_cv_cc_flag_$1])dnl
AC_CACHE_CHECK([whether $CC accepts $1], [hkm_cache],
 [hkm_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $1"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AS_VAR_SET([hkm_cache], [yes])], [AS_VAR_SET([hkm_cache], [no])])
  CFLAGS=$hkm_save_CFLAGS])
AS_VAR_IF([hkm_cache], [yes], [$2="$$2 $1"],
  [hkm_missing_flags="$hkm_missing_flags $1"])
AS_VAR_POPDEF([hkm_cache])])

# HKM_LD_FLAG(FLAG, VAR): append FLAG to VAR if a shared library links with it.
# GNU ld ignores an unknown -z word with a warning: warnings are errors here.
AC_DEFUN([HKM_LD_FLAG],
[AS_VAR_PUSHDEF([hkm_cache], [hkm_cv_ld_flag_$1])dnl
AC_CACHE_CHECK([whether the linker accepts $1], [hkm_cache],
 [hkm_save_CFLAGS=$CFLAGS
  hkm_save_LDFLAGS=$LDFLAGS
  CFLAGS="$CFLAGS -fPIC"
  LDFLAGS="$LDFLAGS -shared -Wl,--fatal-warnings $1"
  AC_LINK_IFELSE([AC_LANG_SOURCE([[int hkm_probe (void) { return 0; }]])],
    [AS_VAR_SET([hkm_cache], [yes])], [AS_VAR_SET([hkm_cache], [no])])
  CFLAGS=$hkm_save_CFLAGS
  LDFLAGS=$hkm_save_LDFLAGS])
AS_VAR_IF([hkm_cache], [yes], [$2="$$2 $1"],
  [hkm_missing_flags="$hkm_missing_flags $1"])
AS_VAR_POPDEF([hkm_cache])])

# HKM_PROTECTION_NOTE: the linker marks a library as branch-protected (IBT and
# SHSTK, or BTI) only if every object in it is, and the crti.o of some
# distributions is not.  Nothing of ours needs the start files, so they are left
# out where that earns the note; lib/base/dso_handle.c stands in for them.  Sets the conditional HKM_NO_START_FILES.
AC_DEFUN([HKM_PROTECTION_NOTE],
[AC_CACHE_CHECK([for what earns the branch protection note],
  [hkm_cv_protection_note],
 [hkm_cv_protection_note=none
  hkm_save_CFLAGS=$CFLAGS
  hkm_save_LDFLAGS=$LDFLAGS
  CFLAGS="$CFLAGS $HKM_CFLAGS -fPIC"
  for hkm_try in "" -nostartfiles; do
    LDFLAGS="$hkm_save_LDFLAGS -shared $HKM_LDFLAGS $hkm_try"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[int hkm_probe (void);
int hkm_probe (void) { return 0; }]])],
     [AS_IF([$READELF -n conftest$EXEEXT 2>/dev/null |
             grep -E 'IBT|SHSTK|BTI' >/dev/null],
       [hkm_cv_protection_note=${hkm_try:-nothing}; break])])
  done
  CFLAGS=$hkm_save_CFLAGS
  LDFLAGS=$hkm_save_LDFLAGS])
AM_CONDITIONAL([HKM_NO_START_FILES],
  [test "x$hkm_cv_protection_note" = x-nostartfiles])
AM_COND_IF([HKM_NO_START_FILES],
  [HKM_LDFLAGS="$HKM_LDFLAGS -Wc,-nostartfiles"])])
