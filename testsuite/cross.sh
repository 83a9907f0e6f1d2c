#!/bin/sh
# make check-cross: the library built for other machines by cross compilers; on
# those of 64 bits, which the tests are written for, programs of hakmem.family and
# hakmem.concur run on it: by this kernel if it runs them, else by qemu-user.
#
#   HOST/build    no warning; HOST/exports   the symbols of hakmem.object/exports.txt
#   HOST/NAME     the program's tests pass with the library preloaded
#
# Prints `ok', `not ok' and `skip' lines and at last `N passed, N failed, N skipped'.
#
# Environment: MAKE, srcdir (the top of the source, with configure), builddir
# (default: here), HAKMEM_TEST_HOSTS (some of "aarch64-linux-gnu i686-linux-gnu").
# Writes only to $builddir/cross.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
target=check-cross
# shellcheck source=testsuite/whole-system.sh
. "$srcdir/testsuite/whole-system.sh"
# None that asks what is resident: under qemu that is qemu's, too.
programs='family/basic family/limits family/zero family/resize family/aligned
  family/sized concur/remote_free concur/larson concur/xmalloc_like concur/churn
  concur/realloc_mt concur/trims'

# The compilers are the host's, not those that this build had.
unset CC CXX

# build HOST: the library in $work/HOST, without a warning, and for its machine.
build ()
{
  mkdir -p "$work/$1" && cd "$work/$1" || return
  "$srcdir/configure" -q "--host=$1" || return
  "${MAKE:-make}" -s >said 2>&1 || { cat said; return 1; }
  if grep 'warning:' said; then return 1; fi
  echo 'int main (void) { return 0; }' | "$1-gcc" -x c -o none - || return
  machine none >none.machine && machine .libs/libhakmem.so.1 | diff none.machine -
}

# machine FILE: what it is for.
machine () { LC_ALL=C readelf -h "$1" | grep -E 'Class:|Machine:'; }

# exports HOST: no symbol more or fewer than on this machine.
exports ()
{
  "$1-nm" -D --defined-only "$work/$1/.libs/libhakmem.so.1" |
    awk '$2 ~ /[B-Z]/ { sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/has"
  sed 's/#.*//; s/ .*//; /^$/d' "$srcdir/testsuite/hakmem.object/exports.txt" |
    sort -u | diff - "$work/has"
}

# runner HOST: sets $run to what runs its programs, and $into, with which that
# puts a variable into their environment.
runner ()
{
  echo 'int main (void) { return 0; }' >"$work/none.c"
  "$1-gcc" "$work/none.c" -o "$work/none" || return
  run='' into=env
  "$work/none" 2>/dev/null && return
  run="qemu-${1%%-*} -L /usr/$1" into="$run -E"
  # shellcheck disable=SC2086
  $run "$work/none"
}

# try HOST PROGRAM
try ()
{
  source=$srcdir/testsuite/hakmem.$2.c
  "$1-gcc" -std=gnu11 -O2 -Wall -fno-builtin -pthread "-I$srcdir/testsuite/lib" \
    "-I$srcdir/include" -o "$work/program" "$source" || return
  # shellcheck disable=SC2086
  timeout -s KILL 600 $into "LD_PRELOAD=$work/$1/.libs/libhakmem.so.1" \
    "$work/program" >"$work/out" 2>&1 || { cat "$work/out"; return 1; }
  if grep 'cannot be preloaded' "$work/out"; then return 1; fi
  grep -q '^ok ' "$work/out" && ! grep '^not ok ' "$work/out"
}

rm -rf "$work"
mkdir -p "$work" || exit 1
for host in ${HAKMEM_TEST_HOSTS:-aarch64-linux-gnu i686-linux-gnu}; do
  if ! command -v "$host-gcc" >/dev/null; then
    echo "skip $host: no $host-gcc"
    continue
  fi
  verdict "$host/build" build "$host"
  case $host in i?86-*) continue ;; esac
  verdict "$host/exports" exports "$host"
  if ! runner "$host" >"$work/said" 2>&1; then
    echo "skip $host: nothing runs its programs"
    continue
  fi
  for program in $programs; do
    verdict "$host/${program#*/}" try "$host" "$program"
  done
done >"$work/result"
cat "$work/result"
close_with "$work/result"
