#!/bin/sh
# make lint: what reads the source and says what may be wrong with it.
#
#   scripts      shellcheck of every shell script
#   pages        mandoc -Tlint of every manual page, groff's warnings, and
#                whether man-db finds its name
#   python       pyflakes of every Python program
#   cppcheck     the library and hakmem-helper
#   clang-tidy   the same, by the checks in .clang-tidy
#   analyzer     gcc -fanalyzer, hakmem-helper alone: the library's own memory is
#                none that it follows
#
# Nothing may be said.  What is allowed, and why, is below (the lists `allowed'),
# in .clang-tidy, and at the line itself where it is about one line.  `make lint'
# runs all; with HAKMEM_LINT=quick those of less than a minute, the first three,
# which is what ./bootstrap.sh check does.
#
# Prints `ok NAME' and `not ok NAME' lines and at last `N passed, N failed, N
# skipped'; a tool that is not installed is skipped.  Environment: CC, srcdir (the
# top of the source), builddir (a configured and built tree; default: here).
# Writes only to $builddir/lint.work.
set -u
srcdir=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd) || exit 1
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
work=$builddir/lint.work
passed=0 failed=0 skipped=0
LC_ALL=C
export LC_ALL

# SC1010: `# say done' is no end of a loop.  SC2015: `a && b || die' is meant for
# both.  SC2002: cat is the program that is looked at.  SC2013: words, not lines,
# are wanted.  SC3013, SC3045: -nt and ulimit -c are in dash, bash and busybox.
# SC2016: text for another shell or for awk.  SC2317: functions called by name.
allowed_shell=SC1010,SC2002,SC2013,SC2015,SC2016,SC2317,SC3013,SC3045

# unknownMacro: ElfW is the system's.  uninitvar: a parameter called like a
# function of math.h; legacyUninitvar: a weak symbol.
allowed_cppcheck='--suppress=unknownMacro:*/os/vdso.c
  --suppress=uninitvar:*/learn/cap.c
  --suppress=legacyUninitvar:*/api/operators.c'

# The compiler's view of the library; by the source's name in messages.
flags="-std=gnu11 -DHAVE_CONFIG_H -I$builddir -I$builddir/lib
  -Ilib -Iinclude"

# check NAME PROGRAM COMMAND...: it must succeed and be silent.
check ()
{
  name=$1
  if ! command -v "$2" >/dev/null 2>&1; then
    skipped=$((skipped + 1))
    echo "skip $name: no $2"
    return
  fi
  shift 2
  if "$@" >"$work/$name" 2>&1 && [ ! -s "$work/$name" ]; then
    passed=$((passed + 1))
    echo "ok $name"
  else
    failed=$((failed + 1))
    echo "not ok $name"
    head -n 40 "$work/$name" | sed 's/^/# /'
  fi
}

# Not what autoreconf brings, and no build in the source tree.
sources ()
{
  find . \( -name build-aux -o -name '_*build' -o -name '*.work' -o -name work \
    -o -name .git -o -name m4 \) -prune -o "$@" -print | sort
}

scripts ()
{
  # shellcheck disable=SC2046 # names without blanks
  for file in $(sources -type f ! -name configure ! -name '*.[ch0-9]'); do
    case $(head -n 1 "$file" | tr -d '\0') in '#!/bin/sh'*) echo "$file" ;; esac
  done
  ls testsuite/*.sh testsuite/*/*.sh bench/*.sh tools/*.sh
}

shell ()
{
  # shellcheck disable=SC2046 # names without blanks
  shellcheck -x -s sh -e "$allowed_shell" $(scripts | sed 's|^\./||' | sort -u)
}

manual ()
{
  for page in man/*.[1-8] "$builddir"/man/*.[1-8]; do
    [ -f "$page" ] || continue
    mandoc -Tlint -W warning "$page"
    ! command -v groff >/dev/null ||
      { groff -man -ww -Tutf8 -Z "$page" >/dev/null; } 2>&1
    ! command -v lexgrog >/dev/null || lexgrog "$page" >/dev/null ||
      echo "$page: no line of NAME that lexgrog understands"
  done
}

# shellcheck disable=SC2046 # names without blanks
python () { pyflakes3 $(sources -name '*.py'); }

# shellcheck disable=SC2046,SC2086
c_cppcheck ()
{
  cppcheck --quiet --std=c11 --enable=warning,performance,portability \
    --inline-suppr --error-exitcode=1 $allowed_cppcheck -D__linux__ -D__x86_64__ \
    -D__GNUC__=12 -DHAVE_CONFIG_H "-I$builddir" "-I$builddir/lib" -Ilib -Iinclude \
    lib tools/helper
}

# Its counts of warnings that .clang-tidy does not ask for go to stderr.
# shellcheck disable=SC2046,SC2086
c_tidy ()
{
  clang-tidy --quiet --warnings-as-errors='*' \
    $(find lib tools/helper -name '*.c' | sort) -- $flags 2>"$work/tidy.err" ||
    { grep -v 'warnings generated' "$work/tidy.err"; return 1; }
}

analyzer ()
{
  for file in tools/helper/*.c; do
    # shellcheck disable=SC2086
    gcc -fanalyzer -O1 -Wall $flags -c "$file" -o "$work/object"
  done
}

cd "$srcdir" && mkdir -p "$work" || exit 1
check scripts shellcheck shell
check pages mandoc manual
check python pyflakes3 python
if [ "${HAKMEM_LINT-}" != quick ]; then
  check cppcheck cppcheck c_cppcheck
  check clang-tidy clang-tidy c_tidy
  check analyzer gcc analyzer
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && rm -rf "$work"
