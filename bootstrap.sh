#!/bin/sh
# From a fresh checkout to a program on libhakmem, or to its test results:
#
#   ./bootstrap.sh run -- PROGRAM ARGS   build, run PROGRAM on the library, then
#                                        print what the allocator did
#   ./bootstrap.sh check                 build, run every test
#   ./bootstrap.sh build                 build only
#
# Installs what is missing (apt or dnf, as root or through sudo), builds in
# ./_build, and writes what the tools say to ./_build/bootstrap.log.
set -u
top=$(cd "$(dirname "$0")" && pwd) || exit 1
build=$top/_build
log=$build/bootstrap.log

# What the build needs: command, Debian package, Fedora package.  `headers' is
# no command but a C library to compile against.
needs='
gcc gcc gcc
make make make
ld binutils binutils
autoconf autoconf autoconf
automake automake automake
libtoolize libtool libtool
awk gawk gawk
cmp diffutils diffutils
headers libc6-dev glibc-devel'

# And the tests.  What single tests run is in testsuite/packages.txt.
test_needs='
runtest dejagnu dejagnu'

say () { printf 'bootstrap: %s\n' "$*" >&2; }
die () { say "$*"; exit 1; }
usage ()
{
  sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# ------------------------------------------------------------ installing

have ()
{
  case $1 in
    headers) printf '#include <stdlib.h>\n' | gcc -E - >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# Sets manager and root (a command prefix).  Fails if nothing can be installed.
find_manager ()
{
  if command -v apt-get >/dev/null 2>&1; then manager=apt
  elif command -v dnf >/dev/null 2>&1; then manager=dnf
  else manager=; return 1
  fi
  if [ "$(id -u)" = 0 ]; then root=
  elif ! command -v sudo >/dev/null 2>&1; then return 1
  elif [ -t 0 ]; then root=sudo
  elif sudo -n true 2>/dev/null; then root='sudo -n'
  else return 1
  fi
}

# install PACKAGE...: all of them or failure.
install ()
{
  case $manager in
    apt)
      $root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        --no-install-recommends install "$@" ;;
    dnf) $root dnf -q -y --setopt=install_weak_deps=False install "$@" ;;
  esac >>"$log" 2>&1 </dev/null
}

# A machine that never ran it has no package lists.
refresh ()
{
  [ "$manager" != apt ] || [ -n "${refreshed-}" ] ||
    $root apt-get -q update >>"$log" 2>&1 </dev/null
  refreshed=yes
}

# The packages of $needs that are missing, for $manager.
missing_needs ()
{
  printf '%s\n' "$needs" | while read -r word deb rpm; do
    [ -n "$word" ] || continue
    have "$word" && continue
    if [ "$manager" = dnf ]; then echo "$rpm"; else echo "$deb"; fi
  done
}

install_needs ()
{
  can_install=yes
  find_manager || can_install=no
  missing=$(missing_needs | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  [ $can_install = yes ] ||
    die "missing and not installable from here (no root or sudo): $missing"
  say "installing $missing"
  refresh
  # shellcheck disable=SC2086 # a list
  install $missing || fail_with_log "could not install $missing"
}

is_installed ()
{
  case $manager in
    apt) dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null |
           grep -q ' installed$' ;;
    dnf) rpm -q "$1" >/dev/null 2>&1 ;;
  esac
}

# Test packages are wanted, not needed: a test whose program is not there says
# so.  One call for all, and only if that fails one for each.
install_test_packages ()
{
  list=$top/testsuite/packages.txt
  [ -r "$list" ] || return 0
  wanted=
  for package in $(sed 's/#.*//' "$list"); do
    [ -n "$manager" ] && is_installed "$package" || wanted="$wanted $package"
  done
  [ -n "$wanted" ] || return 0
  if [ $can_install = no ]; then
    say "not installed, tests of them are skipped (no root or sudo):$wanted"
    return 0
  fi
  say "installing$wanted"
  refresh
  # shellcheck disable=SC2086
  install $wanted && return 0
  for package in $wanted; do
    install "$package" || say "no package $package here: its tests are skipped"
  done
}

# --------------------------------------------------------------- building

fail_with_log ()
{
  tail -n 25 "$log" >&2
  die "$1 (the whole log: $log)"
}

# logged WHAT COMMAND...: run quietly; on failure show the end of the log.
logged ()
{
  what=$1
  shift
  printf '== %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null || fail_with_log "$what failed"
}

jobs () { nproc 2>/dev/null || echo 2; }

# True if a file that autoreconf reads is newer than what it made.
needs_autoreconf ()
{
  [ -x "$top/configure" ] && [ -f "$top/Makefile.in" ] || return 0
  [ -n "$(find "$top/configure.ac" "$top/Makefile.am" "$top/m4" \
            "$top/testsuite/Makefile.am" -type f \
            -newer "$top/configure" -print)" ]
}

start_log ()
{
  mkdir -p "$build" && : >"$log" || die "can't write to $build"
}

build_library ()
{
  if needs_autoreconf; then
    say "preparing (autoreconf)"
    logged autoreconf autoreconf -fi "$top"
  fi
  cd "$build" || exit 1
  if [ ! -f config.status ] || [ "$top/configure" -nt config.status ]; then
    say "configuring in _build"
    logged configure "$top/configure" --prefix="${PREFIX-/usr/local}"
  fi
  say "building"
  logged make make -j"$(jobs)"
  cd "$top" || exit 1
  library=$build/.libs/libhakmem.so.1
  [ -f "$library" ] || die "the build left no $library"
  # ld.so only grumbles about a preload that it can't use, and goes on.
  words=$(LD_PRELOAD=$library /bin/true 2>&1) && [ -z "$words" ] ||
    die "/bin/true fails on the library: $words"
}

# ---------------------------------------------------------------- running

run_program ()
{
  start=$(pwd)
  start_log
  install_needs
  build_library
  cd "$start" || exit 1
  exec "$build/tools/hakmem-run" -- "$@"
}

# ---------------------------------------------------------------- testing

# step TARGET: run make TARGET, showing what it prints; add its closing line to
# the sums.  Without a closing line nothing is known to have run.
step ()
{
  { make -C "$build" --no-print-directory "$1" </dev/null 2>&1
    echo $? >"$build/$1.status"; } | tee "$build/$1.log"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' \
           "$build/$1.log" | tail -n 1)
  if [ -z "$line" ]; then
    say "make $1 ended without its counts"
    bad=1
    return
  fi
  # shellcheck disable=SC2086
  set -- "$1" $line
  passed=$((passed + $2)) failed=$((failed + $4)) skipped=$((skipped + $6))
  if [ "$2" -eq 0 ]; then say "make $1 passed nothing"; bad=1; fi
  if [ "$(cat "$build/$1.status")" != 0 ]; then bad=1; fi
}

run_checks ()
{
  start_log
  needs=$needs$test_needs
  install_needs
  install_test_packages
  build_library
  passed=0 failed=0 skipped=0 bad=0
  step check
  step check-sanitize
  HAKMEM_LINT=quick
  export HAKMEM_LINT
  step lint
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ $bad -eq 0 ]
}

case ${1-} in
  run)
    shift
    [ "${1-}" != -- ] || shift
    [ $# -gt 0 ] || usage
    run_program "$@" ;;
  check) [ $# -eq 1 ] || usage; run_checks ;;
  build) [ $# -eq 1 ] || usage; start_log; install_needs; build_library ;;
  *) usage ;;
esac
