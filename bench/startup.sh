#!/bin/sh
# make bench-startup: what the library adds to the start of a small program:
# time, page faults and system calls of /bin/true, memory of cat at work, and how
# many symbols the loader binds for it.  An empty library is preloaded by turns
# with it: what is over that one's time is ours, the rest is preloading.  Then the
# time of the command lines of startup.list.
#
# Fails if /bin/true takes over HKM_START_RATIO (1.10) times as long as with libc
# alone, or cat holds over HKM_START_KIB (64) more KiB of anonymous memory, in
# the C locale or in C.UTF-8.
#
# Environment: CC, srcdir, builddir (default: here), HAKMEM_TEST_LIB (another
# library), HKM_START_ROUNDS (10), HKM_START_EXECS (200, a round and side),
# HKM_START_MIX (20, the same for startup.list; 0: without).
set -u
CC=${CC:-gcc}
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
library=${HAKMEM_TEST_LIB:-$builddir/.libs/libhakmem.so.1}
most_ratio=${HKM_START_RATIO:-1.10}
most_kib=${HKM_START_KIB:-64}
rounds=${HKM_START_ROUNDS:-10}
execs=${HKM_START_EXECS:-200}
mix=${HKM_START_MIX:-20}
LC_ALL=C
export LC_ALL
unset LD_PRELOAD
for name in $(env | sed -n 's/^\(HAKMEM_[A-Z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done

if [ ! -r "$library" ]; then
  echo "bench-startup: no library at $library" >&2
  exit 1
fi
# A library that ld.so refuses would compare libc with itself.
if ! LD_PRELOAD=$library cat /proc/self/maps 2>&1 | grep -q libhakmem; then
  echo "bench-startup: $library is not loaded into programs" >&2
  exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hakmem-startup.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if ! $CC -D_GNU_SOURCE -O2 -o "$work/startup" "$srcdir/bench/startup.c"; then
  echo "bench-startup: $CC cannot build startup.c" >&2
  exit 1
fi

# Linked as ours is: no start files, two segments, all bound at load.
if ! echo "int startup_empty (void) { return 0; }" \
  | $CC -shared -fPIC -nostartfiles -Wl,-z,noseparate-code -Wl,-z,now \
      -Wl,-z,relro -o "$work/empty.so" -x c -; then
  echo "bench-startup: $CC cannot link an empty library" >&2
  exit 1
fi

"$work/startup" exec "$library" "$work/empty.so" "$rounds" "$execs" /bin/true \
  >"$work/exec" || exit 1
"$work/startup" memory "$library" "$rounds" >"$work/memory" || exit 1
# With messages and letters of a language, programs ask for more at their start.
LC_ALL=C.UTF-8 "$work/startup" memory "$library" "$rounds" >"$work/utf8" \
  || exit 1

# System calls of /bin/true: one line each, but for the lines on its end.
calls_of ()
{
  if ! strace -f -o "$work/calls" "$@" /bin/true 2>/dev/null; then
    echo -
    return
  fi
  grep -c '^[0-9]* *[a-z_0-9]*(' "$work/calls"
}
libc_calls=$(calls_of)
empty_calls=$(calls_of -E "LD_PRELOAD=$work/empty.so")
hakmem_calls=$(calls_of -E "LD_PRELOAD=$library")
# Relocations that name a symbol: each is searched for at every start.
bound_of ()
{
  readelf -rW "$1" | awk '$3 ~ /^R_/ && NF > 4 { n++ } END { print n + 0 }'
}
empty_bound=$(bound_of "$work/empty.so")
hakmem_bound=$(bound_of "$library")

awk -v libc_calls="$libc_calls" -v empty_calls="$empty_calls" \
  -v hakmem_calls="$hakmem_calls" -v empty_bound="$empty_bound" \
  -v hakmem_bound="$hakmem_bound" -v most_ratio="$most_ratio" \
  -v most_kib="$most_kib" '
  FILENAME ~ /exec$/ { us[$1] = $2; faults[$1] = $3; ratio[$1] = $4 }
  FILENAME ~ /memory$/ { anonymous[$1] = $2; rss[$1] = $3 }
  FILENAME ~ /utf8$/ { utf8[$1] = $2 }
  function line(what, unit, libc, empty, hakmem) {
    printf "%-28s %7s %7s %10s  %s\n", what, libc, empty, hakmem, unit
  }
  END {
    if (!("hakmem" in ratio) || !("hakmem" in anonymous)) exit 1
    line("", "", "libc", "empty", "libhakmem")
    line("/bin/true, fork to wait", "us", us["libc"], us["empty"],
         us["hakmem"])
    line("/bin/true, of libc\047s time", "", "1", ratio["empty"],
         ratio["hakmem"])
    line("/bin/true, page faults", "", faults["libc"], faults["empty"],
         faults["hakmem"])
    line("/bin/true, system calls", "", libc_calls, empty_calls, hakmem_calls)
    line("symbols bound at load", "", "-", empty_bound, hakmem_bound)
    line("cat, anonymous memory", "KiB", anonymous["libc"], "-",
         anonymous["hakmem"])
    line("  in the C.UTF-8 locale", "KiB", utf8["libc"], "-", utf8["hakmem"])
    line("cat, resident", "KiB", rss["libc"], "-", rss["hakmem"])
    more = anonymous["hakmem"] - anonymous["libc"]
    utf8_more = utf8["hakmem"] - utf8["libc"]
    if (utf8_more > more) more = utf8_more
    slow = ratio["hakmem"] > most_ratio + 0; big = more > most_kib + 0
    printf "%s: /bin/true takes %.3f times libc\047s time, at most %s\n",
      slow ? "over budget" : "ok", ratio["hakmem"], most_ratio
    printf "%s: cat holds up to %d KiB more anonymous memory, at most %s\n",
      big ? "over budget" : "ok", more, most_kib
    exit slow || big
  }' "$work/exec" "$work/memory" "$work/utf8"
status=$?
[ "$mix" -gt 0 ] || exit $status

# The system's programs, whatever else the caller has.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
printf '\n%-44s %9s %7s %10s\n' "fork to wait, of libc's time" "libc, us" empty \
  libhakmem
sed '/^#/d' "$srcdir/bench/startup.list" | while read -r command; do
  eval "set -- $command"
  command -v "$1" >/dev/null || continue
  "$work/startup" exec "$library" "$work/empty.so" "$rounds" "$mix" "$@" \
    >"$work/exec" || continue
  awk -v command="$command" '{ us[$1] = $2; ratio[$1] = $4 }
    END { printf "%-44.44s %9s %7s %10s\n", command, us["libc"], ratio["empty"],
                 ratio["hakmem"] }' "$work/exec" | tee -a "$work/mix"
done
awk '
  { empty[NR] = $(NF - 1); hakmem[NR] = $NF
    us += $(NF - 2); more += $(NF - 2) * $NF; other += $(NF - 2) * $(NF - 1) }
  function median(v, i, j, t) {
    for (i = 2; i <= NR; i++)
      for (j = i; j > 1 && v[j] < v[j - 1]; j--) {
        t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
      }
    return NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
  }
  END {
    printf "%-44s %9s %7.3f %10.3f\n", "median (1.05 is wanted)", "",
      median(empty), median(hakmem)
    printf "%-44s %9d %7.3f %10.3f\n", "all, one after the other", us,
      other / us, more / us
  }' "$work/mix" && exit $status
