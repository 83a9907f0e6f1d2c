#!/bin/sh
# make check-switches: the library with each optional part off by itself, with all
# of them off, and with each switch that is off by default on; built apart, loaded
# by /bin/true, and tested by the groups that ask least of a build.  Prints a table
#
#   switch                      build  warnings  passed  failed  skipped
#
# then `ok SWITCH' and `not ok SWITCH' lines and at last `N passed, N failed, N
# skipped'.
#
# Environment: MAKE, CC, srcdir (the top of the source, with configure), builddir
# (default: here), HAKMEM_TEST_SWITCHES (some of the switches), HAKMEM_TEST_FILES
# (.exp files; "unit.exp family.exp").  Writes only to $builddir/switches.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
work=$builddir/switches.work
files=${HAKMEM_TEST_FILES:-unit.exp family.exp}
passed=0 failed=0
LC_ALL=C
export LC_ALL
unset LD_PRELOAD MAKEFLAGS MFLAGS CFLAGS

# The rows of configure.ac; what learns needs counters.
parts=$(sed -n 's/^ *HKM_PART(\[\([a-z-]*\)\], \[yes\].*/--disable-\1/p' \
  "$srcdir/configure.ac")
extras=$(sed -n 's/^ *HKM_BUILD_SWITCH(\[\([a-z-]*\)\].*/--enable-\1/p' \
  "$srcdir/configure.ac")
all_off=$(echo "$parts" | tr '\n' ' ')
switches=${HAKMEM_TEST_SWITCHES:-"$parts $extras --enable-lto
  --with-class-steps=1 --with-class-steps=2 all-off"}

if [ ! -x "$srcdir/configure" ] || [ -z "$parts" ]; then
  echo "switches.sh: no configure in $srcdir" >&2
  exit 1
fi

# in_log COMMAND...
in_log () { "$@" >>"$dir/log" 2>&1 </dev/null; }

# try FLAG...: a build in $dir.  Sets $state to what failed, or "yes".
try ()
{
  state=configure
  # Not -O2: it is the code that is asked for here, not its speed.
  (cd "$dir" && in_log "$srcdir/configure" -q "CC=${CC:-gcc}" \
    CFLAGS='-g -O1' "$@") || return
  state="make"
  in_log "${MAKE:-make}" -s -C "$dir" || return
  state=load
  words=$(LD_PRELOAD=$dir/.libs/libhakmem.so.1 /bin/true 2>&1) || return
  [ -z "$words" ] || return
  state=yes
  "${MAKE:-make}" -s -C "$dir/testsuite" check "RUNTESTFLAGS=$files" \
    >"$dir/check" 2>&1 </dev/null || state=check
}

rm -rf "$work"
mkdir -p "$work" || exit 1
printf '%-27s %-9s %8s %7s %7s %8s\n' switch build warnings passed failed skipped
for switch in $switches; do
  dir=$work/$(echo "$switch" | tr '=' '-') # env takes one for a variable
  mkdir -p "$dir"
  : >"$dir/log"
  : >"$dir/check"
  # shellcheck disable=SC2086 # a list
  case $switch in
    all-off) try $all_off ;;
    *) try "$switch" ;;
  esac
  warnings=$(grep -c 'warning:' "$dir/log")
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
    "$dir/check" | tail -n 1)
  # shellcheck disable=SC2086 # three of them
  printf '%-27s %-9s %8d %7s %7s %8s\n' "$switch" "$state" "$warnings" \
    ${counts:-- - -}
  if [ "$state$warnings" = yes0 ]; then
    passed=$((passed + 1))
    echo "ok $switch" >>"$work/lines"
    rm -rf "$dir"
  else
    failed=$((failed + 1))
    { echo "not ok $switch: $state, $warnings warnings"
      grep -e 'warning:' -e 'error:' "$dir/log" | head -n 5 | sed 's/^/# /'
      grep '^FAIL\|^ERROR' "$dir/check" | head -n 10 | sed 's/^/# /'
    } >>"$work/lines"
  fi
done
cat "$work/lines"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && rm -rf "$work"
