#!/bin/sh
# make profile-build: builds the library three times over: with counters, then,
# after a training on the workloads of bench/work, as what was counted advises.
# The result is the build's own libhakmem.la, for `make check' and `make
# install'; `make clean' forgets it.  Code that the training did not reach is
# compiled as without a profile.  gcc only.
#
# The library with counters is preloaded as the real one is.  It counts edges
# alone (-fno-profile-values): counters of values may call malloc on malloc's
# own way.  What it takes to write its counts, at exit, it takes from itself.
#
# Environment: CC, CFLAGS, MAKE, srcdir, builddir.  Writes to
# $builddir/profile.work; if a step fails no library and no object is left, so
# that the next make builds an ordinary one.
set -u
CC=${CC:-gcc}
MAKE=${MAKE:-make}
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
work=$builddir/profile.work
library=$builddir/.libs/libhakmem.so.1
LC_ALL=C
export LC_ALL
for name in $(env | sed -n 's/^\(HAKMEM_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset LD_PRELOAD GCOV_PREFIX GCOV_PREFIX_STRIP

count="-fprofile-generate=$work/counts -fprofile-update=atomic \
-fno-profile-values"
# A file without counts was not in the training: an error, not a slow library.
use="-fprofile-use=$work/counts -fprofile-partial-training \
-fno-profile-values -Werror=missing-profile"

# Some seconds of everything: sizes, lifetimes, threads that hand blocks on,
# threads that end, growth.  Arguments are the workloads' own.
training='
tiny_hot 1000000
fixed_size 500
c7_only 300000
random_mixed 500000
random_mixed 500000 4096 7 16 4096
random_mixed 300000 100000
batch_random 500
calloc_mix 100000
aligned 200000
realloc_growth 32 25 5000
big 1000
phases 64 0
independent 2 300000
independent 2 100000 128 1234567 8192 32768
large_mt 2 5000
larson 2 10 20000
shbench_like 2 200000
xmalloc_like 2 1000
mstress_like 4 10 4000
ring 3000
thread_churn 500
many_threads 16 10000
'

fail ()
{
  echo "profile-build: $*" >&2
  exit 1
}

# forget: objects and library, so that make makes them again.
forget ()
{
  "$MAKE" --no-print-directory -C "$builddir" -s profile-forget
}

# build FLAGS: the library with FLAGS.
build ()
{
  forget && "$MAKE" --no-print-directory -C "$builddir" libhakmem.la \
    HKM_PROFILE="$1"
}

# run PROGRAM ARGS, under the library with counters.
run ()
{
  program=$work/$1
  [ -x "$program" ] || $CC -O2 -fno-builtin -pthread \
    -o "$program" "$srcdir/bench/work/$1.c" || return 1
  shift
  LD_PRELOAD=$library timeout -s KILL 120 "$program" "$@" \
    >"$work/log" 2>&1 </dev/null && grep -q '^ops=' "$work/log" \
    && ! grep -q 'ld\.so: object\|profiling:' "$work/log"
}

rm -rf "$work"
mkdir "$work" || exit 1
cat >"$work/probe.c" <<\END
#if !defined __GNUC__ || defined __clang__ || __GNUC__ < 10
#error
#endif
int hkm_probe (void);
int hkm_probe (void) { return 0; }
END
# shellcheck disable=SC2086
if ! $CC -fPIC -shared $count -o "$work/probe.so" "$work/probe.c" \
       >"$work/log" 2>&1; then
  rm -rf "$work"
  fail "needs gcc 10 or newer with its libgcov, which '$CC' is not"
fi

trap 'forget' EXIT
trap 'exit 1' HUP INT TERM
build "$count" || fail "the library with counters does not build"
echo "$training" | while read -r name arguments; do
  [ -n "$name" ] || continue
  echo "  TRAIN    $name $arguments"
  # shellcheck disable=SC2086
  if ! run "$name" $arguments; then
    cat "$work/log" >&2
    exit 1
  fi
done || fail "a workload fails under the library with counters"
build "$use" || fail "the library does not build from the counts"
trap - EXIT
rm -rf "$work"
echo "profile-build: $library is built as the training advises"
