# The optional parts of the library and the flags it is built with.

# HKM_SUMMARY(NAME, STATE, WHAT): one row of the closing table.
AC_DEFUN([HKM_SUMMARY],
[hkm_row=`printf '  %-18s %-5s %s' "$1" "$2" "$3"`
hkm_summary="${hkm_summary}${hkm_row}
"])

# HKM_CORE(NAME, WHAT): a part that can't be switched off has a row all the
# same, so that the table shows everything that is in the library.
AC_DEFUN([HKM_CORE], [HKM_SUMMARY([$1], [core], [$2])])

# HKM_PART(NAME, DEFAULT, WHAT): the one way to declare an optional part.
# DEFAULT is yes or no.  Gives --enable-NAME/--disable-NAME, refuses any value
# but yes and no, sets hkm_part_NAME, the Automake conditional and the config.h
# macro HKM_WITH_NAME (upper case, _ for -), and adds a row to the closing
# table and a word to HKM_PARTS (for the tests).
AC_DEFUN([HKM_PART],
[HKM_ALL_PARTS="$HKM_ALL_PARTS $1"
m4_pushdef([hkm_var], m4_translit([hkm_part_$1], [-], [_]))dnl
m4_pushdef([hkm_macro], m4_translit([HKM_WITH_$1], [-a-z], [_A-Z]))dnl
AC_ARG_ENABLE([$1],
  [AS_HELP_STRING(m4_if([$2], [yes], [--disable-$1], [--enable-$1]), [$3])],
  [AS_CASE([$enableval],
    [yes|no], [hkm_var=$enableval],
    [AC_MSG_ERROR([--enable-$1 takes yes or no, not '$enableval'])])],
  [hkm_var=$2])
AM_CONDITIONAL(hkm_macro, [test "$hkm_var" = yes])
AS_IF([test "$hkm_var" = yes],
  [AC_DEFINE(hkm_macro, [1], [Define to 1 to build in: $3.])
   HKM_PARTS="$HKM_PARTS $1"])
HKM_SUMMARY([$1], [$hkm_var], [$3])
m4_popdef([hkm_macro])m4_popdef([hkm_var])])

# HKM_NEEDS(NAME, OTHER, WHY): part NAME, declared next, is nothing without OTHER,
# declared before: off where that is off, and an error if asked for there.
AC_DEFUN([HKM_NEEDS],
[m4_pushdef([hkm_enable], m4_translit([enable_$1], [-], [_]))dnl
AS_IF([test "$m4_translit([hkm_part_$2], [-], [_])" = no],
  [AS_IF([test "x$hkm_enable" = xyes],
     [AC_MSG_ERROR([--enable-$1 needs --enable-$2: $3])])
   hkm_enable=no])
m4_popdef([hkm_enable])])

# HKM_PARTS_KNOWN: the names of all parts that are built in, as text for HAKMEM_HELP.
AC_DEFUN([HKM_PARTS_KNOWN],
[AC_DEFINE_UNQUOTED([HKM_PARTS], ["$HKM_PARTS "],
  [The parts that are built in, each between blanks.])])

# HKM_BUILD_SWITCH(NAME, MACRO, WHAT): a way of building rather than a part; off
# unless asked for, refused unless yes or no, a row in the table.
AC_DEFUN([HKM_BUILD_SWITCH],
[m4_pushdef([hkm_var], m4_translit([hkm_build_$1], [-], [_]))dnl
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$3])],
  [AS_CASE([$enableval],
    [yes|no], [hkm_var=$enableval],
    [AC_MSG_ERROR([--enable-$1 takes yes or no, not '$enableval'])])],
  [hkm_var=no])
AS_IF([test "$hkm_var" = yes],
  [AC_DEFINE([$2], [1], [Define to 1 for: $3.])
   HKM_PARTS="$HKM_PARTS $1"])
HKM_SUMMARY([$1], [$hkm_var], [$3])
m4_popdef([hkm_var])])
