#!/bin/sh
# make bench-instr: instructions of malloc and free, counted by callgrind, so
# that the figures repeat on any machine of the same kind.
#
# Per size: callgrind's inclusive figures for the calls of malloc and of free
# made by one loop; beside them the difference of two whole runs of different
# length, from which what is neither (the loop, and the PLT) follows.  Fails if
# malloc and free of 32 bytes are together over HKM_PAIR_BUDGET (48), or over that
# and 6 with realloc of NULL for malloc, or if the two ways of counting contradict
# each other.
#
# Environment: CC, CFLAGS, srcdir, builddir (default: here), HAKMEM_TEST_LIB
# (another library), HKM_PAIR_SIZES.  Exit status 77: there is no valgrind.
set -u
CC=${CC:-gcc}
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
library=${HAKMEM_TEST_LIB:-$builddir/.libs/libhakmem.so.1}
sizes=${HKM_PAIR_SIZES:-16 32 128 1024 2048 8192}
budget=${HKM_PAIR_BUDGET:-48}
few=5000 many=45000
LC_ALL=C
export LC_ALL
unset LD_PRELOAD

if ! (valgrind --version) >/dev/null 2>&1; then
  echo "bench-instr: valgrind is not installed"
  exit 77
fi
if [ ! -r "$library" ]; then
  echo "bench-instr: no library at $library" >&2
  exit 1
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/hakmem-instr.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The tests' builds may carry flags of other purposes (-fsanitize, -O0): the
# loop is not what is measured, so it is always built the same way.
if ! $CC -O2 -fno-builtin -Wl,-z,now -o "$work/pair" "$srcdir/bench/pair.c"
then
  echo "bench-instr: $CC cannot build pair.c" >&2
  exit 1
fi

# count WHICH SIZE N [realloc]: "calls of malloc (or realloc), their instructions,
# calls of free, their instructions, instructions of the whole run".
count ()
{
  if [ "$1" = hakmem ]; then preload="LD_PRELOAD=$library"; else preload=A=; fi
  if ! env "$preload" valgrind --tool=callgrind --compress-strings=no \
       --compress-pos=no --callgrind-out-file="$work/out" \
       "$work/pair" "$2" "$3" ${4:+"$4"} >"$work/log" 2>&1 \
     || grep -q "ld.so: object" "$work/log"; then
    echo "bench-instr: callgrind fails on $1:" >&2
    cat "$work/log" >&2
    return 1
  fi
  if [ "$1" = hakmem ] && ! grep -q '^ob=.*libhakmem' "$work/out"; then
    echo "bench-instr: the library took no part in the run" >&2
    return 1
  fi
  awk '
    /^fn=/    { inside = $0 ~ /^fn=pairs/ }
    /^cfn=/   { callee = substr($0, 5) }
    /^calls=/ {
      split($1, n, "=")
      if ((getline line) <= 0) exit 1
      split(line, cost, " ")
      if (!inside) next
      if (callee ~ /alloc/) { mallocs += n[2]; in_malloc += cost[2] }
      else if (callee ~ /free/) { frees += n[2]; in_free += cost[2] }
    }
    /^(summary|totals):/ { whole = $2 }
    END {
      if (!mallocs || !frees || !whole) exit 1
      print mallocs, in_malloc, frees, in_free, whole
    }' "$work/out" || {
    echo "bench-instr: no calls of malloc and free in what callgrind says" >&2
    return 1
  }
}

# row WHICH SIZE [realloc]: "malloc free both rest" per pair.
row ()
{
  short=$(count "$1" "$2" $few ${3:+"$3"}) || return 1
  long=$(count "$1" "$2" $many ${3:+"$3"}) || return 1
  echo "$short $long" | awk -v n=$((many - few)) '
    {
      m = ($7 - $2) / ($6 - $1); f = ($9 - $4) / ($8 - $3)
      rest = ($10 - $5) / n - m - f
      printf "%.1f %.1f %.1f %.1f\n", m, f, m + f, rest
      # Loop and PLT are some ten instructions.  Anything else means that part
      # of malloc or free was booked elsewhere.
      exit !($6 - $1 == n && $8 - $3 == n && rest >= 4 && rest <= 24)
    }' || {
    echo "bench-instr: $1, $2 bytes: the two counts contradict each other" >&2
    return 1
  }
}

echo "instructions per malloc and free, other blocks alive"
printf '%8s  %30s  %30s\n' "" "libhakmem             " "libc             "
printf '%8s' bytes
for _ in libhakmem libc; do
  printf '  %6s %6s %6s %9s' malloc free both "loop, PLT"
done
echo
# judge WHAT BUDGET COUNT
status=0
judge ()
{
  if awk -v n="$3" -v most="$2" 'BEGIN { exit !(n <= most) }'; then
    echo "ok: $3 instructions at 32 bytes, $1, budget $2"
  else
    echo "over budget: $3 instructions at 32 bytes, $1, budget $2"
    status=1
  fi
}

both=
for size in $sizes; do
  ours=$(row hakmem "$size") || exit 1
  theirs=$(row libc "$size") || exit 1
  # shellcheck disable=SC2086 # four words each
  printf '%8s  %6s %6s %6s %9s  %6s %6s %6s %9s\n' "$size" $ours $theirs
  [ "$size" != 32 ] || both=$(echo "$ours" | cut -d' ' -f3)
done
if [ -z "$both" ]; then
  echo "32 bytes were not measured: no verdict"
  exit 0
fi
judge "malloc and free" "$budget" "$both"
by_realloc=$(row hakmem 32 realloc) || exit 1
judge "realloc of NULL and free" $((budget + 6)) \
  "$(echo "$by_realloc" | cut -d' ' -f3)"
exit $status
