# Link-time optimisation.

# HKM_LTO_SWITCH: --enable-lto, off unless asked for.  Sets HKM_LTO, flags for
# compiling and linking.  One partition: the library is small.  Objects keep
# ordinary code as well where the compiler can, for an archive that links
# without a plugin.
AC_DEFUN([HKM_LTO_SWITCH],
[HKM_BUILD_SWITCH([lto], [HKM_LTO],
  [the library optimised as one at the link])
HKM_LTO=
AC_SUBST([HKM_LTO])
AS_IF([test "$hkm_build_lto" = yes],
 [HKM_CC_FLAG([-flto], [HKM_LTO])
  HKM_CC_FLAG([-flto-partition=one], [HKM_LTO])
  HKM_CC_FLAG([-ffat-lto-objects], [HKM_LTO])
  hkm_save_CFLAGS=$CFLAGS
  hkm_save_LDFLAGS=$LDFLAGS
  CFLAGS="$CFLAGS $HKM_CFLAGS $HKM_LTO -fPIC"
  LDFLAGS="$LDFLAGS -shared"
  AC_MSG_CHECKING([whether $CC and its linker optimise at the link])
  AC_LINK_IFELSE([AC_LANG_SOURCE([[int hkm_probe (void);
int hkm_probe (void) { return 0; }]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([--enable-lto: $CC and its linker do not take$HKM_LTO])])
  CFLAGS=$hkm_save_CFLAGS
  LDFLAGS=$hkm_save_LDFLAGS])])
