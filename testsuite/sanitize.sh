#!/bin/sh
# make check-sanitize: the concurrency programs, the policy's and the unit tests,
# linked with the library's sources under test names, in builds that look closer:
#
#   address   AddressSanitizer and UndefinedBehaviorSanitizer, assertions on
#   thread    ThreadSanitizer, assertions on
#   debug     assertions, lock ranks, and the walkers after each cold path
#   steps1, steps2   as debug, with the other tables of size classes
#   near      as debug, with an address map whose near table is so small that
#             superslabs collide
#
# Nothing is suppressed.  Prints `ok MODE/PROGRAM: TEST' and `not ok' lines, what
# a failed program said, and at last `N passed, N failed, N skipped'.
#
# Environment: CC, builddir (a configured build; default: here), srcdir (the top
# of the source), HAKMEM_TEST_MODES (some of the words above), HAKMEM_TEST_ONLY
# (some programs' names).  Writes only to $builddir/sanitize.work.
set -u
CC=${CC:-gcc}
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
modes=${HAKMEM_TEST_MODES:-address thread debug steps1 steps2 near}
only=${HAKMEM_TEST_ONLY:-}
work=$builddir/sanitize.work
passed=0 failed=0 skipped=0
LC_ALL=C
export LC_ALL
# LeakSanitizer needs ptrace and would watch a heap that nobody uses here.
ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=print_stacktrace=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=4
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
for name in $(env | sed -n 's/^\(HAKMEM_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
unset LD_PRELOAD GLIBC_TUNABLES
ulimit -c 0

if [ ! -f "$builddir/config.h" ]; then
  echo "sanitize.sh: $builddir is no configured build (no config.h)" >&2
  exit 1
fi

# Where the kernel spreads mappings further than ThreadSanitizer's shadow
# allows for, it only starts without address randomisation.
fixed=
if setarch "$(uname -m)" -R true 2>/dev/null; then
  fixed="setarch $(uname -m) -R"
fi

# flags_of MODE: what sets the mode apart.
flags_of ()
{
  case $1 in
    address) echo "-fsanitize=address,undefined -fno-sanitize-recover=all" ;;
    thread) echo "-fsanitize=thread" ;;
    near) echo "-DHKM_MAP_NEAR_BITS=7" ;;
    *) echo ;;
  esac
}

steps_of ()
{
  case $1 in
    steps1) echo 1 ;;
    steps2) echo 2 ;;
    *) echo 4 ;;
  esac
}

# What each program is given: less than a plain run, since every access is
# watched, or every slab walked.
arguments_of ()
{
  case $1 in
    remote_free) echo blocks=4096 ;;
    xmalloc_like) echo batches=30 ;;
    adopt) echo rounds=4 threads=600 ;;
    mstress) echo steps=1500 rounds=3 ;;
    churn) echo threads=600 ;;
    idle_owner) echo bytes=4000000 ;;
    teardown) echo threads=60 ;;
    realloc_mt) echo steps=2500 biggest=3000000 ;;
    large_mt) echo steps=50 rounds=2 ;;
    big_mt) echo steps=60 largest=3000000 ;;
    phases) echo bytes=8000000 ;;
    larson) echo seconds=4 ;;
    absorb_purge) echo meetings=6 blocks=262144 rounds=200 ;;
    late_first_call) echo threads=400 ;;
    dyn_classes) echo rounds=4 steps=1500 ;;
    site_rules) echo steps=400 ;;
    policy | change) echo "$dir" ;; # where their files go
  esac
}

count ()
{
  case $1 in
    "ok "*) passed=$((passed + 1)) ;;
    "not ok "*) failed=$((failed + 1)) ;;
    "skip "*) skipped=$((skipped + 1)) ;;
  esac
  printf '%s\n' "$1"
}

# build MODE: the library as an archive, so that a unit test, which brings some
# functions itself, links only the units it asks for.
build ()
{
  dir=$work/$1
  mkdir -p "$dir/base" "$dir/objects"
  awk -v steps="$(steps_of "$1")" -f "$srcdir/lib/base/size_classes.awk" \
    >"$dir/base/size_classes.h" || return 1
  flags="-std=gnu11 -O1 -g -fno-omit-frame-pointer -pthread -fno-builtin
    -D_GNU_SOURCE -DHAVE_CONFIG_H -DHKM_TEST_NAMES -DHKM_SANITIZE
    -I$dir -I$builddir -I$srcdir/lib -I$srcdir/include
    -I$srcdir/testsuite/lib $(flags_of "$1")"
  # config.h may or may not say so itself.
  grep -q '^#define HKM_DEBUG ' "$builddir/config.h" ||
    flags="$flags -DHKM_DEBUG"
  rm -f "$dir/library.a"
  (cd "$srcdir/lib" && find . -name '*.c' ! -name dso_handle.c) |
    sed 's|^\./||' |
    flags=$flags CC=$CC lib=$srcdir/lib out=$dir/objects \
      xargs -P 2 -I '{}' sh -c '
        object=$out/$(echo "$1" | tr / _).o
        $CC $flags -Wall -Wextra -c "$lib/$1" -o "$object"' sh '{}' \
      >"$dir/build.log" 2>&1 || { cat "$dir/build.log"; return 1; }
  cat "$dir/build.log"
  (cd "$dir" && ar rc library.a objects/*.o)
}

# compile MODE GROUP PROGRAM: to $work/MODE/PROGRAM.
compile ()
{
  extra=
  [ "$2/$3" = hakmem.unit/size_class ] && extra=-DSTEPS=$(steps_of "$1")
  # shellcheck disable=SC2086
  $CC $flags $extra "$srcdir/testsuite/$2/$3.c" "$dir/library.a" -ldl \
    -o "$dir/$3" >"$dir/$3.log" 2>&1 || { cat "$dir/$3.log"; return 1; }
}

# run MODE PROGRAM: its lines, with its name in front; a crash, a report of the
# sanitizer or a missing end is a failure.
run ()
{
  log=$dir/$2.log
  prefix=
  [ "$1" = thread ] && prefix=$fixed
  # shellcheck disable=SC2046,SC2086
  timeout -s KILL 120 $prefix "$dir/$2" $(arguments_of "$2") \
    >"$log" 2>&1 </dev/null
  status=$?
  while IFS= read -r line; do
    case $line in
      "ok "*) count "ok $1/$2: ${line#ok }" ;;
      "not ok "*) count "not ok $1/$2: ${line#not ok }" ;;
      "skip "*) count "skip $1/$2: ${line#skip }" ;;
    esac
  done <"$log"
  [ "$status" = 77 ] && { count "skip $1/$2: $(cat "$log")"; return; }
  if [ "$status" != 0 ] || ! grep -qx done "$log" ||
     grep -q 'Sanitizer:\|runtime error:' "$log"; then
    count "not ok $1/$2: runs to its end (exit status $status)"
    sed 's/^/# /' "$log" | head -n 120
  fi
}

wanted ()
{
  [ -z "$only" ] && return 0
  case " $only " in *" $1 "*) return 0 ;; esac
  return 1
}

for mode in $modes; do
  if ! build "$mode"; then
    count "not ok $mode: the library compiles"
    continue
  fi
  for group in hakmem.concur hakmem.policy hakmem.unit; do
    for source in "$srcdir/testsuite/$group"/*.c; do
      [ -f "$source" ] || continue
      program=$(basename "$source" .c)
      wanted "$program" || continue
      case $mode/$program in
        # The other tables: only what depends on them.
        steps*/larson | steps*/adopt | steps*/teardown | steps*/big_mt) continue ;;
        steps*/late_first_call) continue ;;
        near/parse | near/out | near/lock | near/size_class) continue ;;
      esac
      if compile "$mode" "$group" "$program"; then
        run "$mode" "$program"
      else
        count "not ok $mode/$program: compiles"
      fi
      rm -f "$dir/$program"
    done
  done
  [ "$failed" = 0 ] && rm -rf "$dir"
done

rmdir "$work" 2>/dev/null

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
